"""Whole months and the days at their ends make up a range, and so do percents and hundredths."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.levels import MONTHS, PERCENTS, Levels
from projections.ranges import Range

days = st.dates(date(2023, 12, 1), date(2024, 4, 15))
hundredths = st.integers(0, 10_000)


def holds(wanted: Range, value: Any) -> bool:
    return (wanted.least is None or wanted.least <= value) and (
        wanted.most is None or value <= wanted.most
    )


def times_told(levels: Levels, wanted: Range, value: Any) -> int:
    columns = {levels.fine: value, levels.coarse: levels.coarsely(value)}
    return sum(holds(part, columns[column]) for column, part in levels.parts(wanted))


@given(st.none() | days, st.none() | days, days)
def test_each_day_of_a_range_is_told_once_and_no_other(
    least: date | None, most: date | None, day: date
) -> None:
    wanted = Range(least, most)
    assert times_told(MONTHS, wanted, day) == holds(wanted, day)


@given(st.none() | hundredths, st.none() | hundredths, hundredths)
def test_each_score_of_a_range_is_told_once_and_no_other(
    least: int | None, most: int | None, score: int
) -> None:
    wanted = Range(least, most)
    assert times_told(PERCENTS, wanted, score) == holds(wanted, score)


@given(days, st.integers(0, 2_000))
def test_few_single_days_are_left(least: date, length: int) -> None:
    wanted = Range(least, least + timedelta(days=length))
    single = [part for column, part in MONTHS.parts(wanted) if column == "day"]
    assert sum((part.most - part.least).days + 1 for part in single) <= 60


@pytest.mark.parametrize(
    "wanted",
    [
        Range(date(9999, 12, 5)),
        Range(date(9999, 11, 30), date.max),
        Range(None, date(1, 1, 30)),
        Range(date.min, date.max),
    ],
)
def test_time_has_ends(wanted: Range) -> None:
    for day in (date.min, date(1, 1, 30), date(9999, 12, 4), date(9999, 12, 5), date.max):
        assert times_told(MONTHS, wanted, day) == holds(wanted, day)
