"""Two sample events of every class: one that says all it can, one that says the least."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, get_args, get_type_hints
from uuid import UUID

from domain.aggregate import Event
from domain.enrollment import Enrollment, Source
from domain.personal_record import PersonalRecord
from domain.program_code import ProgramCode
from domain.program_details import Certification, DeliveryMode, Issuing, Level, ProgramDetails
from domain.provenance import Provenance
from domain.signature import Signature
from domain.training_program import TrainingProgram

STREAM_ID = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
PROGRAM_ID = UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")
COMMON: dict[str, Any] = {
    "originator_id": STREAM_ID,
    "originator_version": 7,
    "timestamp": datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC),
    "effective_at": datetime(2026, 11, 20, 16, 30, tzinfo=UTC),
    "provenance": Provenance(
        actor="hr-17",
        role="hr_admin",
        on_behalf_of="e-1001",
        correlation_id="01J9ZK6Q8W",
        causation_id="0f8fad5b-d9cb-469f-a165-70867728950e/6",
    ),
    "reason": "Found in the files 📁",
}
DETAILS = ProgramDetails(
    code="FIRE-1",
    title="Fire safety: Brandschutz für alle",
    description="What to do\nwhen it burns.",
    category="Safety",
    level=Level.BEGINNER,
    delivery_mode=DeliveryMode.BLENDED,
    provider="Academy",
    instructor="i-7",
    duration_hours=7.5,
    capacity=12,
    starts_on=date(2026, 12, 1),
    ends_on=date(2026, 12, 2),
    enrollment_deadline=date(2026, 11, 30),
    cost=Decimal("149.90"),
    currency="EUR",
    mandatory=True,
    tags=("fire", "yearly"),
    pass_score_percent=66.67,
    signature_required=True,
    certification=Certification(
        offered=True, title="Fire warden", issued=Issuing.MANUALLY, valid_for_months=24
    ),
)
EMPLOYEE = {"employee_id": "e-1001"}
ENROLLMENT = {"program_id": PROGRAM_ID, "employee_id": "e-1001"}
CODE = {"code": "FIRE-1", "program_id": PROGRAM_ID}
CYCLE = {
    "cycle": 2,
    "source": Source.ASSIGNED,
    "due_on": date(2026, 12, 31),
    "program_revision": 3,
    "department": "Sales",
}
NUMBER = {"number": "RB-7K2QD-9XMVA-0RT4C-HWZ31"}
CERTIFICATE = {
    "cycle": 2,
    "title": "Fire warden",
    "valid_from": date(2026, 11, 20),
    "valid_until": date(2028, 11, 20),
}
FACTS: dict[type[Event], dict[str, Any]] = {
    ProgramCode.Claimed: CODE,
    ProgramCode.Released: CODE,
    TrainingProgram.Created: {"details": DETAILS},
    TrainingProgram.DetailsRevised: {
        "revision": 2,
        "changes": {field.name: getattr(DETAILS, field.name) for field in fields(DETAILS)},
    },
    TrainingProgram.Published: {},
    TrainingProgram.Closed: {},
    TrainingProgram.Archived: {},
    TrainingProgram.Restored: {},
    TrainingProgram.Deleted: {},
    TrainingProgram.EnrollmentsBegan: {},
    TrainingProgram.SeatTaken: EMPLOYEE,
    TrainingProgram.SeatReleased: EMPLOYEE,
    TrainingProgram.EmployeeWaitlisted: EMPLOYEE,
    TrainingProgram.EmployeePromoted: EMPLOYEE,
    TrainingProgram.EmployeeLeftWaitlist: EMPLOYEE,
    Enrollment.Enrolled: ENROLLMENT | CYCLE,
    Enrollment.Waitlisted: ENROLLMENT | CYCLE,
    Enrollment.Promoted: ENROLLMENT,
    Enrollment.ProgressRecorded: ENROLLMENT
    | {"percent": 62.5, "score_percent": 88.25, "note": "Did the second module"},
    Enrollment.ProgressCorrected: ENROLLMENT | {"was_percent": 62.5, "now_percent": 60.0},
    Enrollment.Completed: ENROLLMENT
    | {
        "score_percent": 91.0,
        "grade": "A",
        "signature": Signature(meaning="approved", record_sha256="5e" * 32),
        "printed_name": "Ina Instructor",
    },
    Enrollment.Failed: ENROLLMENT | {"score_percent": 31.5},
    Enrollment.Withdrawn: ENROLLMENT,
    Enrollment.CompletionVoided: ENROLLMENT,
    Enrollment.CertificateIssued: ENROLLMENT | CERTIFICATE | NUMBER,
    Enrollment.CertificateRevoked: ENROLLMENT | NUMBER,
    Enrollment.TextErased: ENROLLMENT,
    PersonalRecord.HoldPlaced: EMPLOYEE,
    PersonalRecord.HoldLifted: EMPLOYEE,
    PersonalRecord.Erased: EMPLOYEE | {"enrollments": 2, "events": 17},
}
LEAST: dict[type[Event], dict[str, Any]] = {
    TrainingProgram.Created: {"details": ProgramDetails(code="FIRE-1", title="Fire safety")},
    TrainingProgram.DetailsRevised: {"changes": {"category": None, "tags": ()}},
}
"""What else is left out in the sample that says the least, besides what can be None."""


def full(event_class: type[Event]) -> Event:
    """The sample with all fields filled in."""
    return event_class(**COMMON | FACTS[event_class])


def sparse(event_class: type[Event]) -> Event:
    """The sample in which everything is None that can be."""
    said = vars(full(event_class))
    nothing = {
        name: None
        for name, hint in get_type_hints(event_class).items()
        if NoneType in get_args(hint)
    }
    by_nobody_else = {"provenance": Provenance(actor="hr-17", role="hr_admin")}
    return event_class(**said | nothing | by_nobody_else | LEAST.get(event_class, {}))
