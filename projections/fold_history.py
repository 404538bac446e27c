"""Folding events over the stays they concern. Pure: stays and events in, changes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from projections.fold import (
    Amounts,
    Entry,
    Folded,
    Held,
    Key,
    Sorted,
    Stops,
    add_amounts,
)
from projections.history import History
from projections.timeline import Stay, append, turn

Place = tuple[datetime, datetime]
"""Which of a key's stays: where it begins to be known, and to hold."""

Change = tuple[Stay | None, Stay]
"""A stay that is new or ends otherwise, with what it was before."""


class _Path:
    """The stays of one key, followed through a batch: as they were, and as they are.

    Most events come behind all that was before. As long as all do, stays are only added, and
    none but the last one ends otherwise.
    """

    __slots__ = ("before", "in_order", "retired", "timeline")

    def __init__(self, stays: Sequence[Stay]) -> None:
        self.before = stays
        self.timeline = [stay for stay in stays if not stay.is_retired]
        self.retired: dict[Place, Stay] = {}
        self.in_order = len(self.timeline) == len(stays)
        if not self.in_order:
            self.retired = {_place(stay): stay for stay in stays if stay.is_retired}

    def follow(self, table: History, event: Any) -> None:
        """Apply an event."""
        if type(event) in table.erasures:
            self._rewrite(table.erasures[type(event)])
        if append(self.timeline, event, table.evolve):
            return
        turned = turn(self.timeline, event, table.evolve)
        self.in_order = False
        self.timeline = turned.timeline
        self.retired |= {_place(stay): stay for stay in turned.retired}

    def _rewrite(self, change: Callable[[Any], Any]) -> None:
        """Let each row, as it ever was, be what `change` makes of it."""
        self.in_order = False
        self.timeline = [Stay(change(stay.row), stay.bounds) for stay in self.timeline]
        self.retired = {
            place: Stay(change(stay.row), stay.bounds) for place, stay in self.retired.items()
        }

    def changes(self) -> list[Change]:
        """Return what is other than before."""
        if self.in_order:
            then = len(self.before)
            ended = zip(self.before[-1:], self.timeline[then - 1 : then], strict=True)
            return [
                *((was, stay) for was, stay in ended if was is not stay),
                *((None, stay) for stay in self.timeline[then:]),
            ]
        before = {_place(stay): stay for stay in self.before}
        now = self.retired | {_place(stay): stay for stay in self.timeline}
        pairs = [(before.get(place), stay) for place, stay in now.items()]
        return [(was, stay) for was, stay in pairs if was is not stay]


def fold_history(
    table: History, batch: Sorted, before: Mapping[Key, Sequence[Stay]], stops: Stops
) -> Folded:
    """Return what `batch` does to `table`; `before` holds the stays that it may concern.

    What is added and changed are whole stays, what is gone are those that only end
    otherwise, and the rows are the last stays. An event that raises is held as in `fold`.
    """
    folded = Folded.of(table, batch)
    for key, entries in batch.by_key.items():
        path = _Path(before.get(key, ()))
        applied, error = _follow(table, path, entries)
        try:
            changes = path.changes()
            if path.in_order:
                _add_up_in_order(table, changes, folded.summaries)
            else:
                _add_up(table, changes, folded.summaries)
        except Exception as of_contribution:  # noqa: BLE001  # the row is bad as a whole
            path, changes, applied, error = _Path(before.get(key, ())), [], 0, of_contribution
        folded.rows[key] = path.timeline[-1] if path.timeline else None
        for was, stay in changes:
            if was is None:
                folded.added.append(stay)
            else:
                (folded.gone if was.row is stay.row else folded.changed).append(stay)
        if error is not None:
            stops.keys.add(str(key))
            folded.held.append(Held(str(key), entries[applied][0], error))
            folded.held.extend(Held(str(key), position) for position, _ in entries[applied + 1 :])
    return folded


def _follow(table: History, path: _Path, entries: Sequence[Entry]) -> tuple[int, Exception | None]:
    """Apply the events that can be; return how many those are, and what ended it."""
    applied = 0
    try:
        for _, event in entries:
            path.follow(table, event)
            applied += 1
    except Exception as error:  # noqa: BLE001  # whatever it is, the other rows go on
        return applied, error
    return applied, None


def _add_up_in_order(
    table: History, changes: Iterable[Change], summaries: Mapping[str, Amounts]
) -> None:
    """Do the same as `_add_up`, for stays of which each begins where the one before ends."""
    nets = list(summaries.values())
    differing = [(table.differences(old, new), place) for old, new, place in _turns(changes)]
    for differences, place in differing:
        for number, key, amounts in differences:
            add_amounts(nets[number], (*key, *place), amounts)


def _turns(changes: Iterable[Change]) -> Iterator[tuple[Any, Any, Place]]:
    """Yield where a row ends or another begins: both, with their effective and recorded time."""
    last = None
    for was, stay in changes:
        if was is None:
            begin = stay.bounds.effective_from, stay.bounds.known_from
            yield (None if last is None else last.row), stay.row, begin
        last = stay
    if last is not None and not last.is_last:
        yield last.row, None, (last.bounds.effective_until, last.bounds.end_known_from)


def _add_up(table: History, changes: Iterable[Change], summaries: Mapping[str, Amounts]) -> None:
    """Take away what the changed stays contributed before, and add what they do. All or nothing."""
    corners = _Corners()
    for was, stay in changes:
        corners.add(stay, 1)
        if was is not None:
            corners.add(was, -1)
    contributed = {
        number: tuple(summary.contribution(row) for summary in table.summaries)
        for number, row in corners.rows.items()
    }
    nets = [summaries[summary.name] for summary in table.summaries]
    for place, signs in corners.signs.items():
        signed = [(contributed[number], sign) for number, sign in signs.items() if sign]
        # One row follows another here; with most events it adds up to the same.
        if len(signed) == 2 and signed[0] == (signed[1][0], -signed[1][1]):  # noqa: PLR2004
            continue
        for parts, sign in signed:
            for net, part in zip(nets, parts, strict=True):
                if part is not None:
                    key, amounts = part
                    add_amounts(net, (*key, *place), [sign * amount for amount in amounts])


class _Corners:
    """Where sums over everything before a pair of times change, and by which rows.

    Attributes:
        rows: the rows by their numbers.
        signs: at each effective and recorded time, how often each row is added.
    """

    def __init__(self) -> None:
        self.rows: dict[int, Any] = {}
        self.signs: dict[tuple[datetime, datetime], dict[int, int]] = {}

    def add(self, stay: Stay, times: int) -> None:
        number = id(stay.row)
        self.rows[number] = stay.row
        for at, known, sign in stay.bounds.corners:
            signs = self.signs.setdefault((at, known), {})
            signs[number] = signs.get(number, 0) + sign * times


def _place(stay: Stay) -> Place:
    return stay.bounds.known_from, stay.bounds.effective_from
