"""Folding events over the stays they concern. Pure: stays and events in, changes out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import msgspec

from projections.fold import Course, Entry, Folded, Sorted, Stops
from projections.history import History
from projections.late_events import Path
from projections.timeline import EVER, Bounds, Stay

Courses = Sequence[Course]
"""How the rows of the table that a history follows fared in the same batch, in its order."""


Known = Stay | Sequence[Stay]
"""The stays of one key, in order; or the last one alone, which no event took effect before."""


class Followed(msgspec.Struct, gc=False):
    """What a batch does to the stays of one key.

    Attributes:
        last: the stay that holds after it, or ended last.
        added, changed, ended: the stays that are new, that have another row, or only another end.
        applied: how many events could be applied.
        error: what ended it before the last event.
    """

    last: Stay | None
    added: list[Stay]
    changed: list[Stay]
    ended: list[Stay]
    applied: int
    error: Exception | None


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
        if course is not None and isinstance(known, Stay):
            going_on = _going_on(table, known, course)
            if going_on is not None:
                folded.rows[key] = going_on
                continue
        stays = (known,) if isinstance(known, Stay) else known
        try:
            followed = _in_order(table, stays, entries, course)
            if followed is None:
                followed = _in_any_order(table, stays, entries)
        except Exception as error:  # noqa: BLE001  # the row is bad as a whole
            last = stays[-1] if stays else None
            followed = Followed(last, [], [], [], 0, error)
        folded.rows[key] = followed.last
        folded.added.extend(followed.added)
        folded.changed.extend(followed.changed)
        folded.gone.extend(followed.ended)
        if followed.error is not None:
            folded.hold(key, entries[followed.applied :], followed.error, stops)
    return folded


def _going_on(table: History, last: Stay, course: Course) -> Stay | None:
    """Return the last stay with the row that it comes to, None where it ends.

    Most events are progress, and end none.
    """
    row, goes_on = last.row, table.goes_on
    if course.error is not None:
        return None
    for later in course.rows:
        if not goes_on(row, later):
            return None
    return Stay(later, last.bounds)


def _in_order(
    table: History, stays: Sequence[Stay], entries: Sequence[Entry], course: Course | None
) -> Followed | None:
    """Return what events do to stays; None where one takes effect before the last one.

    Most take effect behind all that was before. As long as all do, stays are only added, and none
    but the last one ends otherwise.
    """
    was = last = stays[-1] if stays else None
    if was is not None and not was.is_last:
        return None
    row, goes_on = None if was is None else was.row, table.goes_on
    if course is None or not (goes_on(row, course.rows[0]) or row == course.rows[0]):
        course = Course.of(table, row, entries)
    ended: list[Stay] = []
    added: list[Stay] = []
    later_rows = course.rows[1:]
    begin = (EVER, EVER) if was is None else (was.bounds.effective_from, was.bounds.known_from)
    is_new = False
    for (_, event), later in zip(entries, later_rows, strict=False):
        at, known = event.effective_at, event.timestamp
        if at <= begin[0] or known < begin[1] or (is_new and row is None):
            return None
        if goes_on(row, later):
            continue
        if is_new:
            last = Stay(row, Bounds(*begin, at, known))
            added.append(last)
        elif was is not None:
            last = Stay(row, was.bounds.ended(at, known))
            ended.append(last)
        row, begin, is_new = later, (at, known), True
    if is_new and row is not None:
        last = Stay(row, Bounds(*begin))
        added.append(last)
    return Followed(last, added, [], ended, len(later_rows), course.error)


def _in_any_order(table: History, stays: Sequence[Stay], entries: Sequence[Entry]) -> Followed:
    path = Path(table, stays)
    path.follow(entries)
    changes = path.changes()
    return Followed(
        path.timeline[-1] if path.timeline else None,
        [stay for was, stay in changes if was is None],
        [stay for was, stay in changes if was is not None and was.row is not stay.row],
        [stay for was, stay in changes if was is not None and was.row is stay.row],
        path.applied,
        path.error,
    )
