"""Folding events over the rows they concern. Pure: rows and events in, changes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from projections.table import CopiedTable, ReadTable

Key = Any
Entry = tuple[int, Any]
"""A position in the log, and the event there."""

Amounts = dict[tuple[object, ...], list[int]]
"""The amounts of a summary, by its key."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands for a stored event that cannot be decoded: only its stream is known."""

    originator_id: UUID
    error: Exception


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
        held: those that cannot be given to a row, or must wait.
    """

    by_key: dict[Key, list[Entry]] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)

    def hold_all(self, error: Exception, stops: Stops) -> None:
        """Give up every event of the batch."""
        for key, entries in self.by_key.items():
            stops.keys.add(str(key))
            self.held.extend(Held(str(key), position, error) for position, _ in entries)
        self.by_key.clear()


@dataclass(frozen=True, slots=True)
class Folded:
    """What a batch does to one table.

    Attributes:
        rows: the touched rows as they are after it, by key; None for those that are not there.
        added: the rows that are new.
        changed: those that are other than before.
        gone: the keys of the rows that are no more.
        summaries: by the name of each summary, what to add to its amounts.
        held: the events that were not applied.
    """

    rows: dict[Key, Any]
    added: list[Any]
    changed: list[Any]
    gone: list[Key]
    summaries: dict[str, Amounts]
    held: list[Held]

    @classmethod
    def of(cls, table: ReadTable[Any], batch: Sorted) -> Folded:
        """Return what is known before anything is applied."""
        return cls({}, [], [], [], {s.name: {} for s in table.summaries}, list(batch.held))


class Sorting:
    """Sorts events by the tables and rows they concern, looking at each event once."""

    def __init__(self, tables: Sequence[ReadTable[Any]]) -> None:
        self._tables = tables
        self._copied = [n for n, table in enumerate(tables) if isinstance(table, CopiedTable)]
        self._concerned: dict[type[Any], list[tuple[int, Any]]] = {}
        for number, table in enumerate(tables):
            if isinstance(table, CopiedTable):
                continue
            for event_class, key_of in table.keys.items():
                self._concerned.setdefault(event_class, []).append((number, key_of))
            self._concerned.setdefault(Unreadable, []).append((number, _unknown_key))

    def sort(self, entries: Sequence[Entry], stops: Sequence[Stops]) -> list[Sorted]:
        """Return what concerns each table, in the order of the tables.

        What comes behind an event that could not be applied to the same row is held, too.
        The `stops` of each table gain the keys that are found now.
        """
        found = [Sorted() for _ in self._tables]
        concerned = self._concerned
        for entry in entries:
            event = entry[1]
            for number, key_of in concerned.get(type(event), ()):
                into, stop = found[number], stops[number]
                if stop.skipped and entry[0] in stop.skipped:
                    continue
                try:
                    key = key_of(event)
                except Exception as error:  # noqa: BLE001  # whatever it is, the others go on
                    _hold_stream(into, stop, entry, error)
                    continue
                if stop.keys and (waits := _stopped_key(stop.keys, key, event)):
                    into.held.append(Held(waits, entry[0]))
                elif (group := into.by_key.get(key)) is None:
                    into.by_key[key] = [entry]
                else:
                    group.append(entry)
        for number in self._copied:
            skipped = stops[number].skipped
            found[number].by_key = {e[0]: [e] for e in entries if e[0] not in skipped}
        return found


def _stopped_key(stopped: set[str], key: Key, event: Any) -> str | None:
    """Return under which key the event must wait: that of its stream, of its row, or none."""
    for text in (str(event.originator_id), str(key)):
        if text in stopped:
            return text
    return None


def _unknown_key(unreadable: Unreadable) -> Key:
    raise unreadable.error


def _hold_stream(into: Sorted, stops: Stops, entry: Entry, error: Exception) -> None:
    position, event = entry
    stream = str(event.originator_id)
    into.held.append(Held(stream, position, error))
    stops.keys.add(stream)


def fold(table: ReadTable[Any], batch: Sorted, before: Mapping[Key, Any], stops: Stops) -> Folded:
    """Return what `batch` does to `table`; `before` holds the touched rows that exist.

    An event that raises is held, with the later ones of its row, and its key joins
    `stops`; the other rows go on.
    """
    folded = Folded.of(table, batch)
    nets = list(folded.summaries.values())
    for key, entries in batch.by_key.items():
        old = before.get(key)
        row, applied, error = _follow(table, old, entries)
        if row is not old:
            try:
                _add_up(table, old, row, nets)
            except Exception as of_contribution:  # noqa: BLE001  # the row is bad as a whole
                row, applied, error = old, 0, of_contribution
        folded.rows[key] = row
        if row is not old:
            _note_change(folded, key, old, row)
        if error is not None:
            stops.keys.add(str(key))
            folded.held.append(Held(str(key), entries[applied][0], error))
            folded.held.extend(Held(str(key), position) for position, _ in entries[applied + 1 :])
    return folded


def take_all(table: ReadTable[Any], batch: Sorted) -> Folded:
    """Return what `batch` does to a table of which the database makes a row of each event."""
    folded = Folded.of(table, batch)
    folded.rows.update(dict.fromkeys(batch.by_key))
    return folded


def _follow(
    table: ReadTable[Any], row: Any, entries: Sequence[Entry]
) -> tuple[Any, int, Exception | None]:
    """Return the row after the events that could be applied, how many, and what ended it."""
    evolve, applied = table.evolve, 0
    try:
        for _, event in entries:
            row = evolve(row, event)
            applied += 1
    except Exception as error:  # noqa: BLE001  # whatever it is, the other rows go on
        return row, applied, error
    return row, applied, None


def _note_change(folded: Folded, key: Key, old: Any, new: Any) -> None:
    if new is None:
        folded.gone.append(key)
    else:
        (folded.added if old is None else folded.changed).append(new)


def _add_up(table: ReadTable[Any], old: Any, new: Any, nets: Sequence[Amounts]) -> None:
    """Take away what `old` contributed and add what `new` does. All or nothing."""
    for number, key, amounts in table.differences(old, new):
        add_amounts(nets[number], key, amounts)


def add_amounts(net: Amounts, key: tuple[object, ...], amounts: list[int]) -> None:
    """Add amounts to those under the key in `net`."""
    # Most keys are new, and to look one up twice costs more than all else here.
    known = len(net)
    total = net.setdefault(key, amounts)
    if len(net) == known:
        net[key] = [sum_ + amount for sum_, amount in zip(total, amounts, strict=True)]
