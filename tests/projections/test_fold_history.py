"""A history is what its events make of it, whatever is known of the rows that it follows."""

from __future__ import annotations

from itertools import pairwise
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.aggregate import Event
from projections.fold import Folded, Stops, fold
from projections.fold_history import Known, fold_history
from projections.histories import CERTIFICATE_HISTORY, ENROLLMENT_HISTORY, WAITING_HISTORY
from projections.history import History
from projections.late_events import Path
from projections.sorting import Sorting
from projections.timeline import EVER, Bounds, Stay
from tests.projections.histories import history
from tests.projections.late_histories import late_histories, told_late

Stays = dict[Any, list[Stay]]

KEYS = ENROLLMENT_HISTORY.keys

some_cuts = st.lists(st.integers(1, 60), max_size=5)


def in_store(history: History, folded: Folded) -> Any:
    """What is stored of a fold."""
    lists = (folded.added, folded.changed, folded.gone, folded.rows.values())
    stays = [[stored(history, stay) for stay in some] for some in lists]
    return stays, [*folded.rows], folded.held


def stored(history: History, stay: Stay | None) -> Any:
    return stay and (attrgetter(*history.kept)(stay.row), stay.bounds)


def in_last(stays: list[Stay], entries: Any) -> Known:
    """The last of the stays alone, where all events took effect in that."""
    begin = stays[-1].bounds.effective_from if stays and stays[-1].is_last else EVER
    return stays[-1] if all(EVER < begin <= e.effective_at for _, e in entries) else stays


def kept(stays: Stays, folded: Folded, key_of: Any) -> None:
    """Let `stays` be as they are after the batch, in order."""
    for stay in (*folded.added, *folded.changed, *folded.gone):
        of_key = stays.setdefault(key_of(stay.row), [])
        same = (stay.bounds.known_from, stay.bounds.effective_from)
        of_key[:] = [s for s in of_key if (s.bounds.known_from, s.bounds.effective_from) != same]
        of_key.append(stay)
        of_key.sort(key=lambda s: s.bounds.effective_from)


@pytest.mark.parametrize(
    "history",
    [ENROLLMENT_HISTORY, CERTIFICATE_HISTORY, WAITING_HISTORY],
    ids=lambda history: history.name,
)
@settings(max_examples=40, deadline=None)
@given(events=late_histories(), cuts=some_cuts)
def test_in_order_or_not_and_with_the_courses_or_not_it_is_what_each_event_makes_of_it(
    history: History, events: list[Event], cuts: list[int]
) -> None:
    entries = list(enumerate(events, start=1))
    ends = sorted({0, len(entries), *(cut for cut in cuts if cut < len(entries))})
    sorting = Sorting([history.of, history])
    rows: dict[Any, Any] = {}
    stays: Stays = {}
    for begin, end in pairwise(ends):
        of_rows, of_stays = sorting.sort(entries[begin:end], [Stops(), Stops()])
        assert of_rows.by_key is of_stays.by_key
        keys = of_rows.by_key
        present = fold(history.of, of_rows, [rows.get(key) for key in keys], Stops())
        before = [[stay for stay in stays.get(key, []) if not stay.is_retired] for key in keys]
        last = [in_last(found, keys[key]) for key, found in zip(keys, before, strict=True)]
        told = fold_history(history, of_stays, last, Stops(), present.courses)
        alone = fold_history(history, of_stays, before, Stops())
        assert in_store(history, told) == in_store(history, alone)
        _assert_each_event_makes_it(history, of_stays, before, told)
        rows |= present.rows
        kept(stays, told, history.key_of)


def _assert_each_event_makes_it(
    history: History, batch: Any, before: list[list[Stay]], folded: Folded
) -> None:
    changes: list[Any] = []
    for (key, entries), stays in zip(batch.by_key.items(), before, strict=True):
        path = Path(history, stays)
        path.follow(entries)
        changes += path.changes()
        last = path.timeline[-1] if path.timeline else None
        assert stored(history, folded.rows[key]) == stored(history, last)
    found = [stored(history, stay) for stay in (*folded.added, *folded.changed, *folded.gone)]
    assert sorted(map(repr, found)) == sorted(repr(stored(history, stay)) for _, stay in changes)


def test_what_takes_effect_together_with_the_last_event_takes_its_place_from_then_on() -> None:
    enrolled, begun, *_ = told_late(
        [e for e in history([("ada", "enroll", 60), ("ada", "progress", 10)]) if type(e) in KEYS],
        [(2, 0), (0, 2)],
    )
    [of_history] = Sorting([ENROLLMENT_HISTORY]).sort([(1, enrolled), (2, begun)], [Stops()])
    folded = fold_history(ENROLLMENT_HISTORY, of_history, [()], Stops())
    [first, second] = folded.added
    assert (first.bounds.known_until, first.is_last) == (begun.timestamp, True)
    assert second.bounds == Bounds(enrolled.effective_at, begun.timestamp)
    _assert_each_event_makes_it(ENROLLMENT_HISTORY, of_history, [[]], folded)
