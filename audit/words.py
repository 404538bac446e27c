"""Every event as a sentence for people.

What people wrote themselves, such as reasons and notes, is left out: it can be erased, and
a sentence says the same before and after.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.aggregate import Event
from domain.enrollment import Enrollment
from domain.personal_record import PersonalRecord
from domain.program_code import ProgramCode
from domain.provenance import Provenance
from domain.training_program import TrainingProgram

Said = Callable[[Any], str]


def sentence(event: Event) -> str:
    """Return what happened and who did it, as "Completed with 88 % by hr-17 (hr_admin).".

    Raises `UnspokenEventError` for an event that has no words.
    """
    said = SAID.get(type(event))
    if said is None:
        raise UnspokenEventError(event.TOPIC)
    return f"{said(event)} by {_who(event.provenance)}."


class UnspokenEventError(LookupError):
    """Nobody wrote down how to say this event."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"There are no words for {topic}.")
        self.topic = topic


def _who(provenance: Provenance) -> str:
    whom = f" on behalf of {provenance.on_behalf_of}" if provenance.on_behalf_of else ""
    return f"{provenance.actor} ({provenance.role}){whom}"


def _revised(event: TrainingProgram.DetailsRevised) -> str:
    names = ", ".join(name.replace("_", " ") for name in event.changes)
    return f"Revised to revision {event.revision} ({names})"


def _due(event: Enrollment.Enrolled | Enrollment.Waitlisted) -> str:
    again = f", cycle {event.cycle}" if event.cycle > 1 else ""
    due = f", due on {event.due_on}" if event.due_on else ""
    return f"{again}{due} ({event.source})"


def _progress(event: Enrollment.ProgressRecorded) -> str:
    return f"Progress of {event.percent:g} % recorded{_with_score(event.score_percent)}"


def _completed(event: Enrollment.Completed) -> str:
    score = "" if event.score_percent is None else f" with {event.score_percent:g} %"
    meaning = f', signed as "{event.signature.meaning}"' if event.signature else ""
    return f"Completed{score}{meaning}"


def _issued(event: Enrollment.CertificateIssued) -> str:
    until = f"until {event.valid_until}" if event.valid_until else "without an end"
    return (
        f'Certificate {event.number}, "{event.title}", issued, valid from'
        f" {event.valid_from} {until},"
    )


def _with_score(score_percent: float | None) -> str:
    return "" if score_percent is None else f" with a score of {score_percent:g} %"


SAID: dict[type[Event], Said] = {
    ProgramCode.Claimed: lambda e: f"Code {e.code} taken for program {e.program_id}",
    ProgramCode.Released: lambda e: f"Code {e.code} given back by program {e.program_id},",
    TrainingProgram.Created: lambda e: f'Drafted as {e.details.code}, "{e.details.title}",',
    TrainingProgram.DetailsRevised: _revised,
    TrainingProgram.Published: lambda _: "Published",
    TrainingProgram.Closed: lambda _: "Closed for new enrollments",
    TrainingProgram.Archived: lambda _: "Archived",
    TrainingProgram.Restored: lambda _: "Restored from the archive, closed,",
    TrainingProgram.Deleted: lambda _: "Deleted",
    TrainingProgram.EnrollmentsBegan: lambda _: "First enrollment ever made",
    TrainingProgram.SeatTaken: lambda e: f"Seat given to {e.employee_id}",
    TrainingProgram.SeatReleased: lambda e: f"Seat of {e.employee_id} given back",
    TrainingProgram.EmployeeWaitlisted: lambda e: f"{e.employee_id} put on the waiting list",
    TrainingProgram.EmployeePromoted: lambda e: (
        f"{e.employee_id} moved from the waiting list to a free seat"
    ),
    TrainingProgram.EmployeeLeftWaitlist: lambda e: f"{e.employee_id} taken off the waiting list",
    Enrollment.Enrolled: lambda e: f"Enrolled{_due(e)}",
    Enrollment.Waitlisted: lambda e: f"Put on the waiting list{_due(e)}",
    Enrollment.Promoted: lambda _: "Moved from the waiting list into the program",
    Enrollment.ProgressRecorded: _progress,
    Enrollment.ProgressCorrected: lambda e: (
        f"Progress corrected from {e.was_percent:g} % to {e.now_percent:g} %"
    ),
    Enrollment.Completed: _completed,
    Enrollment.Failed: lambda e: f"Failed{_with_score(e.score_percent)}",
    Enrollment.Withdrawn: lambda _: "Withdrawn",
    Enrollment.CompletionVoided: lambda _: "Completion declared void",
    Enrollment.CertificateIssued: _issued,
    Enrollment.CertificateRevoked: lambda e: f"Certificate {e.number} revoked",
    Enrollment.TextErased: lambda _: "All text about the employee erased",
    PersonalRecord.HoldPlaced: lambda e: f"Legal hold on the data of {e.employee_id} placed",
    PersonalRecord.HoldLifted: lambda e: f"Legal hold on the data of {e.employee_id} lifted",
    PersonalRecord.Erased: lambda e: f"Data of {e.employee_id} erased",
}
