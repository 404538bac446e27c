"""Folding events over the stays they concern. Pure: stays and events in, changes out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import repeat

import msgspec

from projections.fold import Course, Entry, Folded, Sorted, Stops
from projections.history import History
from projections.late_events import Path
from projections.timeline import EVER, NEVER, Bounds, Stay

Courses = Sequence[Course]
"""How the rows of the table that a history follows fared in the same batch, in its order."""


Known = Stay | Sequence[Stay]
"""The stays of one key, in order; or the last one alone, which no event took effect before."""

_BEFORE_ALL = Bounds(EVER, EVER)


class Followed(msgspec.Struct, gc=False):
    """What a batch does to the stays of one key.

    Attributes:
        last: the stay that holds after it, or ended last.
        applied: how many events could be applied.
        error: what ended it before the last event.
        added, changed, ended: the stays that are new, that have another row, or only another end.
    """

    last: Stay | None
    applied: int
    error: Exception | None = None
    added: Sequence[Stay] = ()
    changed: Sequence[Stay] = ()
    ended: Sequence[Stay] = ()


def fold_history(
    table: History,
    batch: Sorted,
    before: Sequence[Known],
    stops: Stops,
    courses: Courses = (),
) -> Folded:
    """Return what `batch` does to `table`; `before` holds the stays of each key it may concern.

    What is added and changed are whole stays, what is gone are those that only end
    otherwise, and the rows are the last stays. An event that raises is held as in `fold`.
    Where the `courses` tell what the events make of the rows, they are not folded again.
    """
    folded = Folded.of(table, batch)
    told = courses or repeat(None, len(before))
    for (key, entries), known, course in zip(batch.by_key.items(), before, told, strict=True):
        try:
            followed = _in_order(table, known, entries, course)
            if followed is None:
                stays = (known,) if isinstance(known, Stay) else known
                followed = _in_any_order(table, stays, entries)
        except Exception as error:  # noqa: BLE001  # the row is bad as a whole
            followed = Followed(_last_of(known), 0, error)
        folded.rows[key] = followed.last
        if followed.added:
            folded.added.extend(followed.added)
        if followed.changed:
            folded.changed.extend(followed.changed)
        if followed.ended:
            folded.gone.extend(followed.ended)
        if followed.error is not None:
            folded.hold(key, entries[followed.applied :], followed.error, stops)
    return folded


def _last_of(known: Known) -> Stay | None:
    if isinstance(known, Stay):
        return known
    return known[-1] if known else None


def _in_order(
    table: History, known: Known, entries: Sequence[Entry], course: Course | None
) -> Followed | None:
    """Return what events do to stays; None where one takes effect before the last one.

    Most take effect behind all that was before, or together with the last of it. As long as all
    do, stays are only added, and none but the last one is left.
    """
    was, goes_on = _last_of(known), table.goes_on
    row, bounds = (None, _BEFORE_ALL) if was is None else (was.row, was.bounds)
    if bounds.effective_until != NEVER:
        return None
    if course is None or not (goes_on(row, course.rows[0]) or row == course.rows[0]):
        course = Course.of(table, row, entries)
    # Most events are progress, and end no stay.
    is_behind, is_new = isinstance(known, Stay), False
    added: list[Stay] = []
    ended: list[Stay] = []
    later_rows = iter(course.rows)
    next(later_rows)
    for (_, event), later in zip(entries, later_rows, strict=False):
        goes = goes_on(row, later)
        if not (goes and is_behind):
            at, known_at = event.effective_at, event.timestamp
            if at > bounds.effective_from:
                is_late = known_at < bounds.known_from
            else:
                is_late = _is_late(bounds, at, known_at, or_at=later is None)
            if is_late or (is_new and row is None):
                return None
            if not goes:
                if row is not None:
                    (added if is_new else ended).append(Stay(row, _left(bounds, at, known_at)))
                bounds, is_behind, is_new = Bounds(at, known_at), False, True
        row = later
    last = [was, *ended, *added][-1] if row is None else Stay(row, bounds)
    if is_new and last is not None and row is not None:
        added.append(last)
    return Followed(last, len(course.rows) - 1, course.error, added, ended=ended)


def _is_late(bounds: Bounds, at: datetime, known: datetime, *, or_at: bool) -> bool:
    """Whether something takes effect before a last stay, or where it begins when `or_at`."""
    begin = bounds.effective_from
    known_from = bounds.known_from
    return at < begin or known < known_from or (at == begin and (or_at or known == known_from))


def _left(bounds: Bounds, at: datetime, known: datetime) -> Bounds:
    """Return the bounds of a last stay with another one behind, or in its place, from `at` on."""
    return bounds.retired(known) if at == bounds.effective_from else bounds.ended(at, known)


def _in_any_order(table: History, stays: Sequence[Stay], entries: Sequence[Entry]) -> Followed:
    path = Path(table, stays)
    path.follow(entries)
    changes = path.changes()
    return Followed(
        path.timeline[-1] if path.timeline else None,
        path.applied,
        path.error,
        [stay for was, stay in changes if was is None],
        [stay for was, stay in changes if was is not None and was.row is not stay.row],
        [stay for was, stay in changes if was is not None and was.row is stay.row],
    )
