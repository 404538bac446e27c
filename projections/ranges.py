"""Ranges of days and numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from projections.conditions import Conditions

ONE_DAY = timedelta(days=1)

Bound = date | datetime | float


def day_before(day: date) -> date:
    """Return the day before; of the first day that there is, that day itself."""
    return max(day, date.min + ONE_DAY) - ONE_DAY


@dataclass(frozen=True, slots=True)
class Range:
    """From `least` to `most`, both within it; None is no end.

    `before` is an end that is not within it.
    """

    least: Any = None
    most: Any = None
    before: Any = None

    def up_to(self, most: Bound) -> Range:
        """Return the part of it up to `most`."""
        return replace(self, most=most if self.most is None else min(self.most, most))

    def within(self, other: Range) -> Range:
        """Return what lies in both. Neither may have an end that is not within it."""
        least = [one.least for one in (self, other) if one.least is not None]
        most = [one.most for one in (self, other) if one.most is not None]
        return Range(max(least, default=None), min(most, default=None))

    def up_to_the_next_day(self) -> Range:
        """Return the same days, with an end that is not within them."""
        if self.most in {None, date.max}:
            return Range(self.least, before=self.before)
        return Range(self.least, before=self.most + ONE_DAY)

    def as_moments(self) -> Range:
        """Return all moments of these days, in UTC."""
        days = self.up_to_the_next_day()
        return Range(
            least=None if days.least is None else _midnight(days.least),
            before=None if days.before is None else _midnight(days.before),
        )

    def add_to(self, conditions: Conditions, expression: str) -> None:
        """Ask for values of `expression` within it."""
        conditions.add_given(f"{expression} >= %s", self.least)
        conditions.add_given(f"{expression} <= %s", self.most)
        conditions.add_given(f"{expression} < %s", self.before)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
