"""The row of an enrollment, in the listing of the present and in its history."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from msgspec.structs import replace

from domain.enrollment import EnrollmentStatus
from eventlog.sealing import ERASED
from projections.row import Row


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
        return replace(
            self, grade=erased_text(self.grade), signer_name=erased_text(self.signer_name)
        )


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


def erased_text(text: str | None) -> str | None:
    """Return what stands in the place of an erased text; None where there was none."""
    return None if text is None else ERASED
