"""Ranges as whole months with the days before and behind them, and the like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from projections.ranges import ONE_DAY, Range

HUNDREDTHS = 100
"""Of a percent: scores have two decimals at most."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Two columns of counts, of which one tells the same more coarsely.

    Attributes:
        fine, coarse: the columns, as `day` and `month`.
        coarsely: what the coarse column has where the fine one has a value.
        ends: the first and the last value that have the same coarse one.
        one: from a fine value to the next.
    """

    fine: str
    coarse: str
    coarsely: Callable[[Any], Any]
    ends: Callable[[Any], tuple[Any, Any]]
    one: Any

    def parts(self, wanted: Range) -> Iterator[tuple[str, Range]]:
        """Yield ranges of either column that make up the range, each value in one of them."""
        least, most = wanted.least, wanted.most
        whole = self._whole(least, most)
        if whole is None:
            yield self.fine, wanted
            return
        first, last = whole
        yield (
            self.coarse,
            Range(*(None if end is None else self.coarsely(end) for end in (first, last))),
        )
        if first is not None and least < first:
            yield self.fine, Range(least, first - self.one)
        if last is not None and most > last:
            yield self.fine, Range(last + self.one, most)

    def _whole(self, least: Any, most: Any) -> tuple[Any, Any] | None:
        """Return the first and last fine value of all that is whole; None where nothing is."""
        try:
            first = least
            if least is not None:
                begin, end = self.ends(least)
                first = least if least == begin else end + self.one
            last = most
            if most is not None:
                begin, end = self.ends(most)
                last = most if most == end else begin - self.one
        except OverflowError:  # in the first month that there is, or the last
            return None
        is_none = first is not None and last is not None and first > last
        return None if is_none else (first, last)


def first_of_month(day: date) -> date:
    """Return the first day of its month."""
    return day.replace(day=1)


def _month(day: date) -> tuple[date, date]:
    first = first_of_month(day)
    return first, first_of_month(first + 31 * ONE_DAY) - ONE_DAY


def whole_percent(hundredths: int) -> int:
    """Return the percents, without what is behind the decimal point."""
    return hundredths // HUNDREDTHS


def _percent(hundredths: int) -> tuple[int, int]:
    first = whole_percent(hundredths) * HUNDREDTHS
    return first, first + HUNDREDTHS - 1


MONTHS = Levels("day", "month", first_of_month, _month, ONE_DAY)
PERCENTS = Levels("hundredths", "percent", whole_percent, _percent, 1)
