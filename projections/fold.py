"""Folding events over the rows they concern. Pure: rows and events in, changes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import add
from typing import Any

import msgspec

from projections.table import Difference, EventTable, ReadTable

Key = Any
Entry = tuple[int, Any]
"""A position in the log, and the event there."""

Amounts = dict[tuple[object, ...], Sequence[int]]
"""The amounts of a summary, by its key."""


@dataclass(frozen=True, slots=True)
class Held:
    """An event that was not applied.

    Attributes:
        key: of the row it concerns, as text; of its stream when the row is not known.
        error: what went wrong; None when it only waits behind an earlier one.
    """

    key: str
    position: int
    error: Exception | None = None


@dataclass(slots=True)
class Stops:
    """What must not be applied to a table.

    Attributes:
        keys: of rows, and of streams, of which an earlier event could not be applied, as text.
        skipped: positions of events that were given up by a repair.
    """

    keys: set[str] = field(default_factory=set)
    skipped: frozenset[int] = frozenset()


@dataclass(slots=True)
class Sorted:
    """The events of a batch that concern one table.

    Attributes:
        by_key: for each row they concern, its events in order.
        each: the events themselves, for a table that has a row for each.
        held: those that cannot be given to a row, or must wait.
    """

    by_key: dict[Key, list[Entry]] = field(default_factory=dict)
    each: Sequence[Entry] = ()
    held: list[Held] = field(default_factory=list)

    def hold_all(self, table: ReadTable[Any], error: Exception, stops: Stops) -> None:
        """Give up every event of the batch."""
        rows: dict[Key, Sequence[Entry]] = {**self.by_key}
        rows |= {entry[0]: [entry] for entry in self.each}
        for key, entries in rows.items():
            text = str(table.value_of(key))
            stops.keys.add(text)
            self.held.extend(Held(text, position, error) for position, _ in entries)
        # Another table may have been given the same events.
        self.by_key, self.each = {}, ()


class Course(msgspec.Struct, gc=False):
    """How a row fared in a batch.

    Attributes:
        rows: as it was before, and after each event that could be applied; None while it is not.
        error: what ended it before the last event.
    """

    rows: list[Any]
    error: Exception | None = None

    @classmethod
    def of(cls, table: ReadTable[Any], row: Any, entries: Sequence[Entry]) -> Course:
        """Return the course that the row takes by the events."""
        rows, evolve = [row], table.evolve
        try:
            for _, event in entries:
                row = evolve(row, event)
                rows.append(row)
        except Exception as error:  # noqa: BLE001  # whatever it is, the other rows go on
            return cls(rows, error)
        return cls(rows)


@dataclass(frozen=True, slots=True)
class Folded:
    """What a batch does to one table.

    Attributes:
        table: which table.
        rows: the touched rows as they are after it, by key; None for those that are not there.
        added: the rows that are new.
        changed: those that are other than before.
        gone: the keys of the rows that are no more, as they stand in the table.
        summaries: by the name of each summary, what to add to its amounts.
        held: the events that were not applied.
        courses: how each row that was touched fared, in the order of the batch.
    """

    table: ReadTable[Any]
    rows: dict[Key, Any]
    added: list[Any]
    changed: list[Any]
    gone: list[Any]
    summaries: dict[str, Amounts]
    held: list[Held]
    courses: list[Course]

    @classmethod
    def of(cls, table: ReadTable[Any], batch: Sorted) -> Folded:
        """Return what is known before anything is applied."""
        nets: dict[str, Amounts] = {summary.name: {} for summary in table.summaries}
        return cls(table, {}, [], [], [], nets, list(batch.held), [])

    def hold(self, key: Key, entries: Sequence[Entry], error: Exception, stops: Stops) -> None:
        """Hold events of a row, of which the first raised the error; what comes later waits."""
        text = str(self.table.value_of(key))
        stops.keys.add(text)
        self.held.append(Held(text, entries[0][0], error))
        self.held.extend(Held(text, position) for position, _ in entries[1:])


def fold(
    table: ReadTable[Any],
    batch: Sorted,
    before: Sequence[Any],
    stops: Stops,
    *,
    adds_up: bool = True,
) -> Folded:
    """Return what `batch` does to `table`; `before` has the row of each key, None without one.

    An event that raises is held, with the later ones of its row, and its key joins
    `stops`; the other rows go on. What is added to the summaries is told where it `adds_up`.
    """
    folded = Folded.of(table, batch)
    courses = folded.courses
    found: list[Difference] = []
    for (key, entries), old in zip(batch.by_key.items(), before, strict=True):
        course = Course.of(table, old, entries)
        row = course.rows[-1]
        if row is not old:
            try:
                if adds_up:
                    found += table.differences(old, row)
            except Exception as of_contribution:  # noqa: BLE001  # the row is bad as a whole
                row, course = old, Course([old], of_contribution)
            else:
                _note_change(folded, key, old, row)
        courses.append(course)
        folded.rows[key] = row
        if course.error is not None:
            folded.hold(key, entries[len(course.rows) - 1 :], course.error, stops)
    add_up([*folded.summaries.values()], found)
    return folded


def fold_each(table: EventTable[Any], batch: Sorted, stops: Stops) -> Folded:
    """Return what `batch` does to a table that has one row per event."""
    folded, row_of = Folded.of(table, batch), table.row_of
    for entry in batch.each:
        try:
            folded.added.append(row_of(*entry))
        except Exception as error:  # noqa: BLE001  # whatever it is, the other rows go on
            folded.hold(entry[0], [entry], error, stops)
    return folded


def _note_change(folded: Folded, key: Key, old: Any, new: Any) -> None:
    if new is None:
        folded.gone.append(folded.table.value_of(key))
    else:
        (folded.added if old is None else folded.changed).append(new)


def add_up(nets: Sequence[Amounts], differences: Iterable[Difference]) -> None:
    """Add each difference to the amounts under its key, in the net of its summary."""
    for number, key, amounts in differences:
        # To look a key up twice would cost more than all else here.
        net = nets[number]
        known = len(net)
        total = net.setdefault(key, amounts)
        if len(net) == known:
            net[key] = [*map(add, total, amounts)]
