"""Many commands of one kind at once: what each row asks for, and what becomes of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from domain.enrollment import Enrollment
from domain.errors import DomainError, StateError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

    from domain.enrollment import Source

Outcome: TypeAlias = Enrollment | DomainError
"""The enrollment as the whole left it, or why the row was refused."""


@dataclass(frozen=True, slots=True)
class Enrolling:
    """One employee who is to be enrolled in one program."""

    program_id: UUID
    employee_id: str
    source: Source
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one enrollment is; percentages are 0 to 100."""

    enrollment_id: UUID
    percent: float
    score_percent: float | None = None
    note: str | None = None


class SomeRefusedError(StateError):
    """Rows that were to be done all or none were not all permitted, so none was done."""

    code = "some_rows_refused"

    def __init__(self, outcomes: Sequence[Outcome | None]) -> None:
        refused = sum(isinstance(outcome, DomainError) for outcome in outcomes)
        super().__init__(f"{refused} of {len(outcomes)} rows are refused, so none was done.")
        self.outcomes = outcomes
