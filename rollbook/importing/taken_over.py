"""What the log knows of a row already. A fact that stands there is never recorded again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.enrollment import Enrollment
from domain.errors import InvalidValueError
from rollbook.importing.sheets import Outcome

OUTCOMES = {
    Enrollment.Completed: Outcome.COMPLETED,
    Enrollment.Failed: Outcome.FAILED,
    Enrollment.Withdrawn: Outcome.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class EnrollmentRow:
    """A row of a team's enrollments; percentages are 0 to 100. See docs/importing.md."""

    line: int
    program_code: str
    employee_id: str
    enrolled_on: date
    due_on: date | None = None
    percent: float | None = None
    progressed_on: date | None = None
    outcome: Outcome | None = None
    ended_on: date | None = None
    score_percent: float | None = None
    grade: str | None = None
    reason: str | None = None

    def require_consistency(self) -> None:
        """Raise `InvalidValueError` for the first column that contradicts another."""
        _require_both("percent", self.percent, "progressed_on", self.progressed_on)
        _require_both("outcome", self.outcome, "ended_on", self.ended_on)
        self._require_only_with("score_percent", Outcome.COMPLETED, Outcome.FAILED)
        self._require_only_with("grade", Outcome.COMPLETED)
        self._require_only_with("reason", Outcome.FAILED, Outcome.WITHDRAWN)
        days = (("enrolled_on", self.enrolled_on), ("progressed_on", self.progressed_on))
        for earlier, first in days:
            for later, second in (
                ("progressed_on", self.progressed_on),
                ("ended_on", self.ended_on),
            ):
                if first and second and second < first:
                    raise InvalidValueError(later, f"must not be before {earlier}")

    def _require_only_with(self, column: str, *outcomes: Outcome) -> None:
        if getattr(self, column) is not None and self.outcome not in outcomes:
            rule = f"must be empty unless the outcome is {' or '.join(outcomes)}"
            raise InvalidValueError(column, rule)


class TakenOver:
    """The cycle of an enrollment that a row is about, as far as the log knows it."""

    def __init__(self, events: Iterable[Any], row: EnrollmentRow) -> None:
        """Find in `events`, all of an enrollment's, the cycle that began on the row's day."""
        cycles = _cycles(events)
        self._row = row
        theirs = [cycle for cycle in cycles if _day(cycle[0]) == row.enrolled_on]
        self._events: Sequence[Any] = theirs[-1] if theirs else ()
        self._is_latest = bool(cycles) and self._events is cycles[-1]

    @property
    def is_enrolled(self) -> bool:
        """Whether there is such a cycle."""
        return bool(self._events)

    @property
    def has_progress(self) -> bool:
        """Whether the row's progress is recorded, or there is none to record."""
        return self._row.percent is None or any(
            isinstance(event, Enrollment.ProgressRecorded)
            and (event.percent, _day(event)) == (self._row.percent, self._row.progressed_on)
            for event in self._events
        )

    @property
    def has_outcome(self) -> bool:
        """Whether the row's outcome is recorded, or there is none to record."""
        return self._row.outcome is None or any(map(self._is_the_outcome, self._events))

    def require_no_contradiction(self) -> None:
        """Raise `InvalidValueError` when the log has it otherwise than the row."""
        if not self.is_enrolled:
            return
        due_on = self._events[0].due_on
        if self._row.due_on not in {None, due_on}:
            raise InvalidValueError("due_on", f"is {due_on or 'empty'} in Rollbook already")
        if self.has_progress and self.has_outcome:
            return
        if not self._is_latest:
            rule = "is of an enrollment that was followed by another one; it cannot be added to"
            raise InvalidValueError("enrolled_on", rule)
        ending = _ending(self._events)
        if ending is not None:
            column = "percent" if self.has_outcome else "outcome"
            raise InvalidValueError(column, f"contradicts Rollbook: {_told(ending)}")

    def _is_the_outcome(self, event: Any) -> bool:
        row = self._row
        return (
            OUTCOMES.get(type(event)) is row.outcome
            and _day(event) == row.ended_on
            and getattr(event, "score_percent", None) == row.score_percent
            and getattr(event, "grade", None) == row.grade
        )


def _cycles(events: Iterable[Any]) -> list[list[Any]]:
    cycles: list[list[Any]] = []
    for event in events:
        if isinstance(event, Enrollment.Enrolled | Enrollment.Waitlisted):
            cycles.append([])
        cycles[-1].append(event)
    return cycles


def _ending(events: Sequence[Any]) -> Any:
    ending = None
    for event in events:
        if type(event) in OUTCOMES:
            ending = event
        elif isinstance(event, Enrollment.CompletionVoided):
            ending = None
    return ending


def _told(ending: Any) -> str:
    details = [f"{OUTCOMES[type(ending)]} on {_day(ending)}"]
    for name, unit in (("score_percent", "score"), ("grade", "grade")):
        value = getattr(ending, name, None)
        if value is not None:
            details.append(f"{unit} {value:g}" if isinstance(value, float) else f"{unit} {value}")
    return ", ".join(details)


def _day(event: Any) -> date:
    day: date = event.effective_at.date()
    return day


def _require_both(one: str, first: object, other: str, second: object) -> None:
    if (first is None) != (second is None):
        missing, given = (other, one) if second is None else (one, other)
        raise InvalidValueError(missing, f"must be given with {given}")
