"""The listing of enrollments, and the counts that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from domain.enrollment import Enrollment, EnrollmentStatus
from eventlog.sealing import ERASED
from projections.row import Row
from projections.table import ReadTable, Summary

BEGAN = "began_at"
DUE = "coalesce(due_on, '9999-12-31'::date)"
ENDED = "coalesce(ended_at, '9999-12-31 00:00:00+00'::timestamptz)"
"""What enrollments are ordered by, as SQL that is never null."""
NEVER = "'9999-12-31 00:00:00+00'"
"""The day and the moment that stand for none in an order."""


class PastCycle(Row, frozen=True):
    """A cycle that ended before the present one began, with the fields of `EnrollmentRow`."""

    cycle: int
    status: str
    source: str
    department: str | None
    program_revision: int
    due_on: date | None
    percent: float
    score_percent: float | None
    grade: str | None
    certificate_number: str | None
    began_at: datetime
    enrolled_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    signed_by: str | None = None
    signed_at: datetime | None = None
    signer_name: str | None = None
    signature_meaning: str | None = None
    signed_sha256: str | None = None

    @classmethod
    def of(cls, row: EnrollmentRow) -> PastCycle:
        """Return what is kept of the cycle that `row` shows."""
        return cls(*[getattr(row, name) for name in cls.__struct_fields__])

    def without(self, certificate_number: str) -> PastCycle:
        """Return the same, without that certificate if it has it."""
        is_its_own = self.certificate_number == certificate_number
        return replace(self, certificate_number=None) if is_its_own else self

    def without_text(self) -> PastCycle:
        """Return the same, with what was text about the employee erased."""
        return replace(self, grade=_erased(self.grade), signer_name=_erased(self.signer_name))


class EnrollmentRow(Row, frozen=True):
    """One row per enrollment, as its present cycle is; the key is `id`.

    Attributes:
        department: the employee's when the cycle began.
        percent: progress, 0 to 100.
        progress_score_percent: the score of the last progress that had one, 0 to 100.
        score_percent: the final score of the cycle, 0 to 100.
        past_score_percent: the best final score of the completed cycles before.
        past_cycles: the cycles before, the first one first.
        began_at: when the cycle began, in the program or on its waiting list (effective).
        enrolled_at: when the employee got a place (effective).
        started_at: when the first progress was made, or it was completed without (effective).
        ended_at: when it was completed, failed or withdrawn (effective).
        signed_by: the actor who signed the completion; the signature's time is `signed_at`.
        signer_name, signature_meaning, signed_sha256: what the signature says and is bound to.
        changed_at: when the log learned of the last event.

    """

    id: UUID
    program_id: UUID
    employee_id: str
    status: str
    version: int
    cycle: int
    source: str
    department: str | None
    program_revision: int
    due_on: date | None
    percent: float
    progress_score_percent: float | None
    score_percent: float | None
    past_score_percent: float | None
    past_cycles: tuple[PastCycle, ...]
    grade: str | None
    certificate_number: str | None
    began_at: datetime
    enrolled_at: datetime | None
    started_at: datetime | None
    progressed_at: datetime | None
    ended_at: datetime | None
    signed_by: str | None
    signed_at: datetime | None
    signer_name: str | None
    signature_meaning: str | None
    signed_sha256: str | None
    changed_at: datetime

    def in_cycle(self, cycle: int) -> EnrollmentRow | PastCycle | None:
        """Return what is known of a cycle, the present one or one before."""
        if cycle == self.cycle:
            return self
        return next((past for past in self.past_cycles if past.cycle == cycle), None)

    @property
    def best_score_percent(self) -> float | None:
        """The best final score over all completed cycles."""
        past, own = self.past_score_percent, self.score_percent
        if own is None or self.status != EnrollmentStatus.COMPLETED:
            return past
        return own if past is None or past < own else past


_BEGINNINGS = (Enrollment.Enrolled, Enrollment.Waitlisted)


def evolve(row: EnrollmentRow | None, event: Any) -> EnrollmentRow | None:
    """Return the row as it is after `event`."""
    if isinstance(event, _BEGINNINGS):
        return _begun(row, event)
    if row is None:
        return None
    return replace(
        row,
        version=event.originator_version,
        changed_at=event.timestamp,
        **_changes(row, event),
    )


def _begun(
    row: EnrollmentRow | None, event: Enrollment.Enrolled | Enrollment.Waitlisted
) -> EnrollmentRow:
    has_place = isinstance(event, Enrollment.Enrolled)
    return EnrollmentRow(
        id=event.originator_id,
        program_id=event.program_id,
        employee_id=event.employee_id,
        status=EnrollmentStatus.ENROLLED if has_place else EnrollmentStatus.WAITLISTED,
        version=event.originator_version,
        cycle=event.cycle,
        source=event.source,
        department=event.department,
        program_revision=event.program_revision,
        due_on=event.due_on,
        percent=0.0,
        progress_score_percent=None,
        score_percent=None,
        past_score_percent=row.best_score_percent if row else None,
        past_cycles=(*row.past_cycles, PastCycle.of(row)) if row else (),
        grade=None,
        certificate_number=None,
        began_at=event.effective_at,
        enrolled_at=event.effective_at if has_place else None,
        started_at=None,
        progressed_at=None,
        ended_at=None,
        **UNSIGNED,
        changed_at=event.timestamp,
    )


def _changes(row: EnrollmentRow, event: Any) -> dict[str, Any]:  # noqa: C901, PLR0911  # a case an event
    match event:
        case Enrollment.ProgressRecorded():
            return {
                "status": EnrollmentStatus.IN_PROGRESS,
                "percent": event.percent,
                "progress_score_percent": _latest(event.score_percent, row.progress_score_percent),
                "started_at": row.started_at or event.effective_at,
                "progressed_at": event.effective_at,
            }
        case Enrollment.Completed():
            return {
                "status": EnrollmentStatus.COMPLETED,
                "score_percent": event.score_percent,
                "grade": event.grade,
                "started_at": row.started_at or event.effective_at,
                "ended_at": event.effective_at,
                **_signature(event),
            }
        case Enrollment.Failed():
            return {
                "status": EnrollmentStatus.FAILED,
                "score_percent": event.score_percent,
                "ended_at": event.effective_at,
            }
        case Enrollment.Withdrawn():
            return {"status": EnrollmentStatus.WITHDRAWN, "ended_at": event.effective_at}
        case Enrollment.Promoted():
            return {"status": EnrollmentStatus.ENROLLED, "enrolled_at": event.effective_at}
        case Enrollment.ProgressCorrected():
            return {"percent": event.now_percent}
        case Enrollment.CompletionVoided():
            return {
                "status": EnrollmentStatus.IN_PROGRESS,
                "score_percent": None,
                "grade": None,
                "ended_at": None,
                **UNSIGNED,
            }
        case Enrollment.CertificateIssued() if event.cycle == row.cycle:
            return {"certificate_number": event.number}
        case Enrollment.CertificateRevoked() if event.number == row.certificate_number:
            return {"certificate_number": None}
        case Enrollment.CertificateRevoked():
            return {"past_cycles": tuple(c.without(event.number) for c in row.past_cycles)}
        case Enrollment.TextErased():
            return _without_text(row)
    return {}


def without_text(row: EnrollmentRow) -> EnrollmentRow:
    """Return the row with what was text about the employee erased."""
    return replace(row, **_without_text(row))


def _without_text(row: EnrollmentRow) -> dict[str, Any]:
    return {
        "grade": _erased(row.grade),
        "signer_name": _erased(row.signer_name),
        "past_cycles": tuple(cycle.without_text() for cycle in row.past_cycles),
    }


UNSIGNED: dict[str, Any] = dict.fromkeys(
    ("signed_by", "signed_at", "signer_name", "signature_meaning", "signed_sha256")
)


def _signature(event: Enrollment.Completed) -> dict[str, Any]:
    if event.signature is None:
        return UNSIGNED
    return {
        "signed_by": event.provenance.actor,
        "signed_at": event.timestamp,
        "signer_name": event.printed_name,
        "signature_meaning": event.signature.meaning,
        "signed_sha256": event.signature.record_sha256,
    }


def _erased(text: str | None) -> str | None:
    return None if text is None else ERASED


def _latest(score_percent: float | None, before: float | None) -> float | None:
    return before if score_percent is None else score_percent


COUNTED = (
    "waitlisted",
    "enrolled",
    "in_progress",
    "completed",
    "failed",
    "withdrawn",
    "cancelled",
)
"""The states that are counted. `cancelled` is withdrawn without ever having started."""

_COUNTS = {one: tuple(int(one == state) for state in COUNTED) for one in COUNTED}
_WITHDRAWN, _CANCELLED = _COUNTS["withdrawn"], _COUNTS["cancelled"]

_COUNTED_BY = ("status", "started_at")


def _counted_as(row: EnrollmentRow) -> tuple[int, ...]:
    counted = _COUNTS[row.status]
    if counted is _WITHDRAWN and row.started_at is None:
        return _CANCELLED
    return counted


ENROLLMENT_COUNTS = Summary[EnrollmentRow](
    name="enrollment_counts",
    key={"program_id": UUID, "department": str},
    amounts=COUNTED,
    contribution=lambda row: ((row.program_id, row.department or ""), _counted_as(row)),
    told_by=("program_id", "department", *_COUNTED_BY),
)


def _by_day(
    name: str, told_by: str, day: Callable[[EnrollmentRow], date | None]
) -> Summary[EnrollmentRow]:
    """Return the counts by the department and a day in UTC, as all times of rows are.

    A row without that day adds nothing. Those of all departments are added up by day as well.
    """

    def contribution(row: EnrollmentRow) -> tuple[tuple[object, ...], tuple[int, ...]] | None:
        on = day(row)
        return None if on is None else ((row.department or "", on), _counted_as(row))

    return Summary(
        name,
        {"department": str, "day": date},
        COUNTED,
        contribution,
        (told_by, "department", *_COUNTED_BY),
        total=f"{name}_of_all",
    )


ENROLLMENTS_BY_BEGINNING = _by_day(
    "enrollments_by_beginning", "began_at", lambda row: row.began_at.date()
)
ENROLLMENTS_BY_DUE_DAY = _by_day("enrollments_by_due_day", "due_on", lambda row: row.due_on)
ENROLLMENTS_BY_END = _by_day(
    "enrollments_by_end", "ended_at", lambda row: row.ended_at and row.ended_at.date()
)


ENROLLMENTS_BY_SCORE = Summary[EnrollmentRow](
    name="enrollments_by_score",
    key={"score_hundredths": int},
    amounts=COUNTED,
    contribution=lambda row: (
        None if row.score_percent is None else ((round(row.score_percent * 100),), _counted_as(row))
    ),
    told_by=("score_percent", *_COUNTED_BY),
)


def _score(row: EnrollmentRow) -> tuple[tuple[object, ...], tuple[int, ...]] | None:
    best = row.best_score_percent
    return None if best is None else ((row.employee_id,), (1, round(best * 100)))


EMPLOYEE_SCORES = Summary[EnrollmentRow](
    name="employee_scores",
    key={"employee_id": str},
    amounts=("programs", "score_hundredths"),
    contribution=_score,
    told_by=("employee_id", "status", "score_percent", "past_score_percent"),
)


ENROLLMENT_LISTING = ReadTable(
    name="enrollment_listing",
    row=EnrollmentRow,
    key="id",
    keys=dict.fromkeys(
        (
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
        ),
        attrgetter("originator_id"),
    ),
    evolve=evolve,
    # Each begins with what lists are filtered by, and goes on with an order. What changes with
    # every progress is in none of them, so that such a change stays within its page. The column
    # behind an expression is in the index as well: only then can it be walked without the table.
    # So is the employee, by whom what is otherwise alike is sorted. What a program and a
    # department have together is few, and sorted in any but the usual order, so that one index
    # is enough.
    indexes=(
        f"(status, {BEGAN}, id) INCLUDE (employee_id)",
        f"(program_id, status, {BEGAN}, id) INCLUDE (employee_id)",
        f"(department, status, {BEGAN}, id) INCLUDE (employee_id)",
        f"(program_id, department, {BEGAN}, id) INCLUDE (status, due_on, ended_at, employee_id)",
        f"(employee_id, {BEGAN}, id)",
        f"(status, ({DUE}), id) INCLUDE (due_on, employee_id)",
        f"(program_id, status, ({DUE}), id) INCLUDE (due_on, employee_id)",
        f"(department, status, ({DUE}), id) INCLUDE (due_on, employee_id)",
        f"(status, ({ENDED}), id) INCLUDE (ended_at, employee_id)",
        f"(program_id, status, ({ENDED}), id) INCLUDE (ended_at, employee_id)",
        f"(department, status, ({ENDED}), id) INCLUDE (ended_at, employee_id)",
        "(program_id, employee_id, id)",
        "(status, score_percent, id) WHERE score_percent IS NOT NULL",
        "(program_id, score_percent, id) WHERE score_percent IS NOT NULL",
        "(department, score_percent, id) WHERE score_percent IS NOT NULL",
    ),
    summaries=(
        ENROLLMENT_COUNTS,
        ENROLLMENTS_BY_BEGINNING,
        ENROLLMENTS_BY_DUE_DAY,
        ENROLLMENTS_BY_END,
        ENROLLMENTS_BY_SCORE,
        EMPLOYEE_SCORES,
    ),
    begins=lambda event: event.originator_version == 1,
    definition=5,
)
