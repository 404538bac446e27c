"""The facts that the examples are made of, with values that do not matter to them filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from domain.enrollment import Enrollment, EnrollmentEvent, Source
from domain.program_details import Certification, Issuing, ProgramDetails
from domain.training_program import TrainingProgram
from tests.domain.scenario import Fact, fact, replayed

PROGRAM_ID = UUID("7f1d3e90-0000-4000-8000-000000000001")
OTHER_PROGRAM_ID = UUID("7f1d3e90-0000-4000-8000-000000000002")
DETAILS = ProgramDetails(code="FIRE-1", title="Fire safety")
CERTIFIED = Certification(offered=True, title="Fire warden", valid_for_months=12)
BY_HAND = Certification(offered=True, issued=Issuing.MANUALLY)
NUMBER = "RB-7K2QD-9XMVA-0RT4C-HWZ31"

# Programs.


def details(**changes: object) -> ProgramDetails:
    return replace(DETAILS, **changes)  # type: ignore[arg-type]  # the test names real fields


def created(**changes: object) -> Fact:
    return fact(TrainingProgram.Created, details=details(**changes))


def revised(revision: int, **changes: object) -> Fact:
    return fact(TrainingProgram.DetailsRevised, revision=revision, changes=changes)


PUBLISHED = fact(TrainingProgram.Published)
CLOSED = fact(TrainingProgram.Closed)
ARCHIVED = fact(TrainingProgram.Archived)
RESTORED = fact(TrainingProgram.Restored)
DELETED = fact(TrainingProgram.Deleted)
BEGAN = fact(TrainingProgram.EnrollmentsBegan)


def seat_taken(employee_id: str) -> Fact:
    return fact(TrainingProgram.SeatTaken, employee_id=employee_id)


def seat_released(employee_id: str) -> Fact:
    return fact(TrainingProgram.SeatReleased, employee_id=employee_id)


def waitlisted(employee_id: str) -> Fact:
    return fact(TrainingProgram.EmployeeWaitlisted, employee_id=employee_id)


def promoted(employee_id: str) -> Fact:
    return fact(TrainingProgram.EmployeePromoted, employee_id=employee_id)


def left_waitlist(employee_id: str) -> Fact:
    return fact(TrainingProgram.EmployeeLeftWaitlist, employee_id=employee_id)


def program(*more: Fact, **changes: object) -> TrainingProgram:
    """A published program with these details, to which `more` happened."""
    past = (created(**changes), PUBLISHED, *more)
    events = [it.event(PROGRAM_ID, number) for number, it in enumerate(past, start=1)]
    return replayed(TrainingProgram, PROGRAM_ID, events)


# Enrollments: all of Ann in one program.

ANN = {"program_id": PROGRAM_ID, "employee_id": "ann"}


def ann_enrolled(cycle: int = 1, **facts: object) -> Fact:
    return fact(Enrollment.Enrolled, **_beginning(cycle) | facts)


def ann_waitlisted(cycle: int = 1, **facts: object) -> Fact:
    return fact(Enrollment.Waitlisted, **_beginning(cycle) | facts)


def _beginning(cycle: int) -> dict[str, object]:
    return ANN | {
        "cycle": cycle,
        "source": Source.ASSIGNED,
        "due_on": None,
        "program_revision": 1,
        "department": "Sales",
    }


def progressed(percent: float, score_percent: float | None = None, note: str | None = None) -> Fact:
    return ann(Enrollment.ProgressRecorded, percent=percent, score_percent=score_percent, note=note)


def corrected(was_percent: float, now_percent: float) -> Fact:
    return ann(Enrollment.ProgressCorrected, was_percent=was_percent, now_percent=now_percent)


def completed(score_percent: float | None = None, grade: str | None = None) -> Fact:
    return ann(
        Enrollment.Completed,
        score_percent=score_percent,
        grade=grade,
        signature=None,
        printed_name=None,
    )


def failed(score_percent: float | None = None) -> Fact:
    return ann(Enrollment.Failed, score_percent=score_percent)


def certified(number: str = NUMBER, cycle: int = 1) -> Fact:
    return ann(
        Enrollment.CertificateIssued,
        cycle=cycle,
        number=number,
        title="Fire warden",
        valid_from=date(2026, 1, 5),
        valid_until=date(2027, 1, 5),
    )


def revoked(number: str = NUMBER) -> Fact:
    return ann(Enrollment.CertificateRevoked, number=number)


def ann(event_class: type[EnrollmentEvent], **facts: object) -> Fact:
    return fact(event_class, **ANN | facts)


WITHDRAWN = ann(Enrollment.Withdrawn)
VOIDED = ann(Enrollment.CompletionVoided)
PROMOTED = ann(Enrollment.Promoted)
