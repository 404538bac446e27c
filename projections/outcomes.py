"""What enrollments came to, and the rates that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from projections.enrollment_listing import COUNTED

SUMS = ", ".join(f"coalesce(sum({state}), 0)::bigint AS {state}" for state in COUNTED)
"""The columns of an `Outcomes`, summed over rows of `enrollment_counts`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A share, with what it was made of.

    Attributes:
        value: numerator / denominator, 0 to 1 for a rate; None when the denominator is 0.
        excluded: what was left out of the denominator, counted by reason.

    """

    value: float | None
    numerator: float
    denominator: float
    excluded: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, numerator: float, denominator: float, **excluded: int) -> Figure:
        """Return the share of `numerator` in `denominator`."""
        value = numerator / denominator if denominator else None
        return cls(value, numerator, denominator, excluded)


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """How many enrollments have which status; the statuses of the listing."""

    waitlisted: int
    enrolled: int
    in_progress: int
    completed: int
    failed: int
    withdrawn: int

    @property
    def total(self) -> int:
        """All of them."""
        return (
            self.waitlisted
            + self.enrolled
            + self.in_progress
            + self.completed
            + self.failed
            + self.withdrawn
        )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many enrollments are where. `cancelled` ones were withdrawn before they started."""

    waitlisted: int
    enrolled: int
    in_progress: int
    completed: int
    failed: int
    withdrawn: int
    cancelled: int

    @property
    def by_status(self) -> StatusCounts:
        """The counts by the statuses of the listing, which knows no `cancelled`."""
        return StatusCounts(
            waitlisted=self.waitlisted,
            enrolled=self.enrolled,
            in_progress=self.in_progress,
            completed=self.completed,
            failed=self.failed,
            withdrawn=self.withdrawn + self.cancelled,
        )

    @property
    def completion_rate(self) -> Figure:
        """Completed of all that began: ended or open, but not waiting or cancelled."""
        return Figure.of(
            self.completed,
            self.completed + self.failed + self.withdrawn + self._open,
            waitlisted=self.waitlisted,
            cancelled=self.cancelled,
        )

    @property
    def completion_rate_closed_only(self) -> Figure:
        """Completed of all that ended."""
        return Figure.of(
            self.completed,
            self.completed + self.failed + self.withdrawn,
            open=self._open,
            waitlisted=self.waitlisted,
            cancelled=self.cancelled,
        )

    @property
    def pass_rate(self) -> Figure:
        """Completed of all that were judged."""
        return Figure.of(
            self.completed,
            self.completed + self.failed,
            withdrawn=self.withdrawn,
            open=self._open,
            waitlisted=self.waitlisted,
            cancelled=self.cancelled,
        )

    @property
    def _open(self) -> int:
        return self.enrolled + self.in_progress
