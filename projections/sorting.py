"""Sorting the events of a batch by the tables and rows that they concern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from projections.fold import Entry, Held, Key, Sorted, Stops
from projections.table import EventTable, ReadTable
from projections.unreadable import Unreadable

Concerned = dict[type[Any], list[tuple[int, ReadTable[Any], Any]]]
"""The tables that a class of events concerns with their numbers, and what tells the key."""


class Sorting:
    """Sorts events by the tables and rows they concern, looking at each event once.

    Tables that the same events concern in the same way are given the same, as long as none of
    them must leave any out.
    """

    def __init__(self, tables: Sequence[ReadTable[Any]]) -> None:
        self._tables = tables
        self._of_events = [n for n, table in enumerate(tables) if isinstance(table, EventTable)]
        by_row = {n: t for n, t in enumerate(tables) if n not in self._of_events}
        first_of = {n: _first_alike(by_row, table) for n, table in by_row.items()}
        self._alike = {n: first for n, first in first_of.items() if n != first}
        self._all = _concerned(by_row)
        self._once = _concerned({n: t for n, t in by_row.items() if n not in self._alike})

    def sort(self, entries: Sequence[Entry], stops: Sequence[Stops]) -> list[Sorted]:
        """Return what concerns each table, in the order of the tables.

        What comes behind an event that could not be applied to the same row is held, too.
        The `stops` of each table gain the keys that are found now.
        """
        found = [Sorted() for _ in self._tables]
        if any(stop.keys or stop.skipped for stop in stops):
            _sort(entries, self._all, found, stops)
        else:
            _sort(entries, self._once, found, stops)
            for number, first in self._alike.items():
                found[number] = Sorted(found[first].by_key, held=list(found[first].held))
                stops[number].keys |= stops[first].keys
        for number in self._of_events:
            skipped = stops[number].skipped
            found[number].each = (
                [entry for entry in entries if entry[0] not in skipped] if skipped else entries
            )
        return found


def _first_alike(tables: dict[int, ReadTable[Any]], like: ReadTable[Any]) -> int:
    return next(number for number, table in tables.items() if table.keys == like.keys)


def _concerned(tables: dict[int, ReadTable[Any]]) -> Concerned:
    concerned: Concerned = {}
    for number, table in tables.items():
        for event_class, key_of in table.keys.items():
            concerned.setdefault(event_class, []).append((number, table, key_of))
        concerned.setdefault(Unreadable, []).append((number, table, _unknown_key))
    return concerned


def _sort(
    entries: Sequence[Entry],
    concerned: Concerned,
    found: Sequence[Sorted],
    stops: Sequence[Stops],
) -> None:
    for entry in entries:
        event = entry[1]
        for number, table, key_of in concerned.get(type(event), ()):
            into, stop = found[number], stops[number]
            if stop.skipped and entry[0] in stop.skipped:
                continue
            try:
                key = key_of(event)
            except Exception as error:  # noqa: BLE001  # whatever it is, the others go on
                _hold_stream(into, stop, entry, error)
                continue
            if stop.keys and (waits := _stopped_key(stop.keys, table.value_of(key), event)):
                into.held.append(Held(waits, entry[0]))
            else:
                into.by_key.setdefault(key, []).append(entry)


def _stopped_key(stopped: set[str], key: object, event: Any) -> str | None:
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
