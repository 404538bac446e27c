"""Folding events over the stays they concern. Pure: stays and events in, changes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from projections.timeline import Stay, turn

Place = tuple[datetime, datetime]
"""Which of a key's stays: where it begins to be known, and to hold."""


@dataclass(slots=True)
class _Path:
    """The stays of one key, followed through a batch: as they were, and as they are."""

    before: dict[Place, Stay]
    timeline: Sequence[Stay]
    retired: dict[Place, Stay]

    @classmethod
    def of(cls, stays: Sequence[Stay]) -> _Path:
        """Return the beginning of the path of a key with these stays."""
        by_place = {_place(stay): stay for stay in stays}
        retired = {place: stay for place, stay in by_place.items() if stay.is_retired}
        return cls(by_place, [stay for stay in stays if not stay.is_retired], retired)

    def rewrite(self, change: Callable[[Any], Any]) -> None:
        """Let each row, as it ever was, be what `change` makes of it."""
        self.timeline = [Stay(change(stay.row), stay.bounds) for stay in self.timeline]
        self.retired = {
            place: Stay(change(stay.row), stay.bounds) for place, stay in self.retired.items()
        }

    def changes(self) -> list[tuple[Stay | None, Stay]]:
        """Return each stay that is new or ends otherwise, with what it was before."""
        now = self.retired | {_place(stay): stay for stay in self.timeline}
        pairs = [(self.before.get(place), stay) for place, stay in now.items()]
        return [(was, stay) for was, stay in pairs if was is not stay]


def fold_history(
    table: History, batch: Sorted, before: Mapping[Key, Sequence[Stay]], stops: Stops
) -> Folded:
    """Return what `batch` does to `table`; `before` holds the stays that it may concern.

    What is changed are whole stays, what is gone are those that only end otherwise, and
    the rows are the last stays. An event that raises is held as in `fold`.
    """
    folded = Folded({}, [], [], {s.name: {} for s in table.summaries}, list(batch.held))
    for key, entries in batch.by_key.items():
        path = _Path.of(before.get(key, ()))
        applied, error = _follow(table, path, entries)
        try:
            changes = path.changes()
            _add_up(table, changes, folded.summaries)
        except Exception as of_contribution:  # noqa: BLE001  # the row is bad as a whole
            path, changes, applied, error = _Path.of(before.get(key, ())), [], 0, of_contribution
        folded.rows[key] = path.timeline[-1] if path.timeline else None
        for was, stay in changes:
            only_ends = was is not None and was.row is stay.row
            (folded.gone if only_ends else folded.changed).append(stay)
        if error is not None:
            stops.keys.add(str(key))
            folded.held.append(Held(str(key), entries[applied][0], error))
            folded.held.extend(Held(str(key), position) for position, _ in entries[applied + 1 :])
    return folded


def _follow(table: History, path: _Path, entries: Sequence[Entry]) -> tuple[int, Exception | None]:
    """Apply the events that can be; return how many those are, and what ended it."""
    for applied, (_, event) in enumerate(entries):
        try:
            if type(event) in table.erasures:
                path.rewrite(table.erasures[type(event)])
            turned = turn(path.timeline, event, table.evolve)
        except Exception as error:  # noqa: BLE001  # whatever it is, the other rows go on
            return applied, error
        path.timeline = turned.timeline
        path.retired |= {_place(stay): stay for stay in turned.retired}
    return len(entries), None


def _add_up(
    table: History, changes: Iterable[tuple[Stay | None, Stay]], summaries: Mapping[str, Amounts]
) -> None:
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
                    add_amounts(net, ((*key, *place), amounts), sign)


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
