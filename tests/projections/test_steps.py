"""The whole months of a range and its ends make it up, and so do steps of five percent."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.ranges import Range
from projections.steps import FIVES, MONTHS, Steps

days = st.dates(date(2023, 12, 1), date(2024, 4, 15))
scores = st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)


def holds(wanted: Range, value: Any) -> bool:
    return (
        (wanted.least is None or wanted.least <= value)
        and (wanted.most is None or value <= wanted.most)
        and (wanted.before is None or value < wanted.before)
    )


def times_told(steps: Steps, wanted: Range, value: Any) -> int:
    whole, ends = steps.parts(wanted)
    told = [holds(end, value) for end in ends]
    if whole is not None:
        told.append(holds(whole, steps.begin(value)))
    return sum(told)


@given(st.none() | days, st.none() | days, days)
def test_each_day_of_a_range_is_told_once_and_no_other(
    least: date | None, most: date | None, day: date
) -> None:
    wanted = Range(least, most)
    assert times_told(MONTHS, wanted.up_to_the_next_day(), day) == holds(wanted, day)


@given(st.none() | scores, st.none() | scores, scores)
def test_each_score_of_a_range_is_told_once_and_no_other(
    least: float | None, most: float | None, score: float
) -> None:
    wanted = Range(least, most)
    assert times_told(FIVES, wanted, score) == holds(wanted, score)


@given(days, st.integers(0, 2_000))
def test_less_than_a_month_is_left_at_each_end(least: date, length: int) -> None:
    wanted = Range(least, least + timedelta(days=length)).up_to_the_next_day()
    _, ends = MONTHS.parts(wanted)
    assert all((end.before - end.least).days < 31 for end in ends) or len(ends) == 1
    assert sum((end.before - end.least).days for end in ends) <= 60


def test_nothing_is_left_of_whole_months() -> None:
    wanted = Range(date(2024, 1, 1), date(2024, 2, 29)).up_to_the_next_day()
    assert MONTHS.parts(wanted) == (Range(date(2024, 1, 1), before=date(2024, 3, 1)), [])


@pytest.mark.parametrize(
    "wanted",
    [
        Range(date(9999, 12, 5)),
        Range(date(9999, 11, 30), date.max),
        Range(date(9999, 11, 30), date(9999, 12, 30)),
        Range(None, date(1, 1, 30)),
        Range(date.min, date.max),
    ],
)
def test_time_has_ends(wanted: Range) -> None:
    for day in (date.min, date(1, 1, 30), date(9999, 12, 4), date(9999, 12, 5), date.max):
        assert times_told(MONTHS, wanted.up_to_the_next_day(), day) == holds(wanted, day)
