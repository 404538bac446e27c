"""All events there are, and the facts of them that the log keeps unique or looks up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.enrollment import Enrollment
from domain.personal_record import PersonalRecord
from domain.program_code import ProgramCode
from domain.training_program import ProgramEvent, TrainingProgram

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.aggregate import Event

ALL_EVENTS: tuple[type[Event], ...] = (
    ProgramCode.Claimed,
    ProgramCode.Released,
    TrainingProgram.Created,
    TrainingProgram.DetailsRevised,
    TrainingProgram.Published,
    TrainingProgram.Closed,
    TrainingProgram.Archived,
    TrainingProgram.Restored,
    TrainingProgram.Deleted,
    TrainingProgram.EnrollmentsBegan,
    TrainingProgram.SeatTaken,
    TrainingProgram.SeatReleased,
    TrainingProgram.EmployeeWaitlisted,
    TrainingProgram.EmployeePromoted,
    TrainingProgram.EmployeeLeftWaitlist,
    Enrollment.Enrolled,
    Enrollment.Waitlisted,
    Enrollment.Promoted,
    Enrollment.ProgressRecorded,
    Enrollment.ProgressCorrected,
    Enrollment.Completed,
    Enrollment.Failed,
    Enrollment.Withdrawn,
    Enrollment.CompletionVoided,
    Enrollment.CertificateIssued,
    Enrollment.CertificateRevoked,
    Enrollment.TextErased,
    PersonalRecord.HoldPlaced,
    PersonalRecord.HoldLifted,
    PersonalRecord.Erased,
)

PROGRAM_TOPICS = tuple(event.TOPIC for event in ALL_EVENTS if issubclass(event, ProgramEvent))
"""The topics of the streams of programs."""


def _with_grade_as_text(completed_v1: dict[str, Any]) -> dict[str, Any]:
    grade = completed_v1["grade"]
    text = {} if grade is None else {"grade": grade}
    return {**completed_v1, "personal": completed_v1.get("personal", {}) | text}


UPCASTS: Mapping[str, tuple[type[Event], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "enrollment.completed.v1": (Enrollment.Completed, _with_grade_as_text)
}
"""Topics that are written no more, with the class that took their place and the way to it."""

UNIQUE_FACTS = ((Enrollment.CertificateIssued.TOPIC, "number"),)
"""No two events of the topic have the same value there: the log refuses the second."""

LOOKUP_FACTS = (
    (Enrollment.Enrolled.TOPIC, "program_id"),
    (Enrollment.Enrolled.TOPIC, "employee_id"),
    (Enrollment.Waitlisted.TOPIC, "employee_id"),
    (PersonalRecord.Erased.TOPIC, "employee_id"),
)
"""Facts by which commands find streams."""
