"""A range as the whole months in it and what is left at its ends, and the like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from projections.ranges import ONE_DAY, Range


@dataclass(frozen=True, slots=True)
class Steps:
    """What values are counted in, each step known by the value at which it begins.

    Attributes:
        begin: the beginning of the step that has a value.
        following: that of the step behind it; it may raise OverflowError for the last one.
    """

    begin: Callable[[Any], Any]
    following: Callable[[Any], Any]

    def parts(self, wanted: Range) -> tuple[Range | None, list[Range]]:
        """Return the beginnings of all that is whole in a range, and what is left at its ends."""
        least, end = wanted.least, wanted.most if wanted.before is None else wanted.before
        try:
            first = None if least is None else self._whole_from(least)
        except OverflowError:
            return None, [wanted]
        # All before this one is whole; what ends within a step has a part of that.
        last = None if end is None else self.begin(end)
        if first is not None and last is not None and first > last:
            return None, [wanted]
        ends = []
        if first is not None and least < first:
            ends.append(Range(least, before=first))
        if end is not None and last != wanted.before:
            ends.append(Range(last, wanted.most, wanted.before))
        return Range(first, before=last), ends

    def _whole_from(self, least: Any) -> Any:
        return least if least == self.begin(least) else self.following(least)


@lru_cache(maxsize=10_000)
def first_of_month(day: date) -> date:
    """Return the first day of its month."""
    return day.replace(day=1)


def month_in_sql(day: str) -> str:
    """Return the first day of the month of a day, as SQL."""
    return f"date_trunc('month', {day})::date"


def utc_day_in_sql(moment: str) -> str:
    """Return the day of a moment in UTC, as SQL."""
    return f"({moment} AT TIME ZONE 'UTC')::date"


def percent_from(score_percent: float) -> int:
    """Return the first of the five whole percents that a score lies in."""
    return int(score_percent // 5) * 5


MONTHS = Steps(first_of_month, lambda day: first_of_month(first_of_month(day) + 31 * ONE_DAY))
FIVES = Steps(percent_from, lambda score_percent: percent_from(score_percent) + 5)
