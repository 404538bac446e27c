"""The stays of a row are what a fold by hand makes of its events, at any two times."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings

from domain.aggregate import Event
from projections.as_of import Moment
from projections.certificate_register import CERTIFICATE_REGISTER
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.program_listing import PLACES, PROGRAM_LISTING
from projections.table import ReadTable
from projections.timeline import Bounds, Stay, turn
from tests.projections.late_histories import BEGIN, HOUR, by_hand, late_histories, moments


def stays_of(table: ReadTable[Any], events: list[Event]) -> dict[Any, list[Stay]]:
    """All stays of all rows, whether known differently since or not."""
    timelines: dict[Any, list[Stay]] = {}
    retired: dict[Any, dict[Any, Stay]] = {}
    for event in events:
        if type(event) in table.keys:
            key = table.keys[type(event)](event)
            turned = turn(timelines.get(key, []), event, table.evolve)
            timelines[key] = turned.timeline
            gone = retired.setdefault(key, {})
            gone |= {(s.bounds.known_from, s.bounds.effective_from): s for s in turned.retired}
    return {table.value_of(key): [*retired[key].values(), *timelines[key]] for key in timelines}


def holds(bounds: Bounds, at: Moment) -> bool:
    is_in = bounds.effective_from <= at.as_of and bounds.known_from <= at.known_at
    is_over = bounds.effective_until <= at.as_of and bounds.end_known_from <= at.known_at
    return is_in and not is_over and at.known_at < bounds.known_until


@settings(max_examples=60, deadline=None)
@given(late_histories())
def test_at_any_two_times_one_stay_holds_and_it_is_the_fold_by_hand(events: list[Event]) -> None:
    # Places in programs are counted person by person, and are in no stay of a program.
    without_places = [event for event in events if type(event) not in PLACES]
    for table, told in (
        (ENROLLMENT_LISTING, events),
        (CERTIFICATE_REGISTER, events),
        (PROGRAM_LISTING, without_places),
    ):
        stays = stays_of(table, told)
        for moment in moments(events)[::7]:
            found = {
                key: [stay.row for stay in of_key if holds(stay.bounds, moment)]
                for key, of_key in stays.items()
            }
            expected = {key: [row] for key, row in by_hand(table, told, moment).items()}
            assert {key: rows for key, rows in found.items() if rows} == expected


@settings(max_examples=40, deadline=None)
@given(late_histories())
def test_events_in_order_leave_one_stay_each(events: list[Event]) -> None:
    in_order = [
        type(event)(**vars(event) | {"timestamp": at, "effective_at": at})
        for event, at in zip(events, (BEGIN + n * HOUR for n in range(200)), strict=False)
    ]
    for key, stays in stays_of(ENROLLMENT_LISTING, in_order).items():
        ours = [event for event in in_order if event.originator_id == key]
        assert [stay.row.version for stay in stays] == [event.originator_version for event in ours]
        for one, following in pairwise(stays):
            assert one.bounds.effective_until == following.bounds.effective_from
            assert one.bounds.end_known_from == following.bounds.known_from


def test_nothing_holds_before_the_first_event() -> None:
    bounds = Bounds(BEGIN, BEGIN + HOUR)
    just_before = timedelta(microseconds=1)
    assert holds(bounds, Moment(BEGIN, BEGIN + HOUR))
    assert not holds(bounds, Moment(BEGIN - just_before, BEGIN + HOUR))
    assert not holds(bounds, Moment(BEGIN, BEGIN + HOUR - just_before))
