"""Random but lawful histories: what aggregates themselves recorded."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from domain.act import Act
from domain.aggregate import Event
from domain.enrollment import Enrollment, Source
from domain.errors import DomainError
from domain.program_details import Certification, ProgramDetails
from domain.provenance import Provenance
from domain.training_program import TrainingProgram

PROGRAM_ID = UUID(int=7)
EMPLOYEES = ("ada", "ben", "cyd")
ACT = Act(Provenance("hr", "hr_admin"), reason="a test")

steps = st.lists(
    st.tuples(
        st.sampled_from(EMPLOYEES),
        st.sampled_from(
            (
                "enroll",
                "wait",
                "promote",
                "progress",
                "complete",
                "fail",
                "withdraw",
                "void",
                "revoke",
            )
        ),
        st.integers(0, 100),
    ),
    max_size=60,
)


def history(given: list[tuple[str, str, int]]) -> list[Event]:
    """The events of a program, and of the steps that its rules allowed."""
    program = TrainingProgram.blank(PROGRAM_ID)
    details = ProgramDetails(code="P", title="Safety", certification=Certification(offered=True))
    program.create(details, ACT)
    program.publish(ACT)
    events: list[Any] = list(program.collect_events())
    enrollments = {e: Enrollment.blank(Enrollment.id_of(PROGRAM_ID, e)) for e in EMPLOYEES}
    for employee, step, number in given:
        enrollment = enrollments[employee]
        with suppress(DomainError):
            _take(enrollment, program, employee, step, number)
        events += enrollment.collect_events()
    return events


def _take(e: Enrollment, program: TrainingProgram, employee: str, step: str, number: int) -> None:
    match step:
        case "enroll" | "wait":
            waiting = step == "wait"
            e.enroll(
                program,
                employee,
                ACT,
                waiting=waiting,
                source=Source.SELF,
                due_on=datetime.now(UTC).date(),
                department="north" if number > 50 else None,
            )
        case "promote":
            e.promote(ACT)
        case "progress":
            e.record_progress(ACT, float(number), None, None)
        case "complete":
            e.complete(program, ACT, float(number), None)
        case "fail":
            e.fail(ACT, float(number))
        case "withdraw":
            e.withdraw(ACT)
        case "void":
            e.void_completion(ACT)
        case "revoke":
            for live in list(e.live_certificates.values()):
                e.revoke_certificate(live, ACT)
