"""The stays of one history: loaded by key, written in sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from msgspec.structs import astuple
from psycopg.sql import SQL, Composable, Composed, Identifier

from eventlog.pool import Connection
from projections.columns import Column, columns_of, partial_row_maker
from projections.fold import Entry, Folded, Key
from projections.fold_history import Known
from projections.history import BOUNDS, History
from projections.remembered import UNKNOWN, Remembered
from projections.rows import as_json, upsert
from projections.timeline import NEVER, Bounds, Stay
from projections.writing import COPIED_ROWS, Copying, Staging, Writing


class StayRows:
    """Stays of a history in one schema, of which nobody else may write any meanwhile.

    It remembers the last stays of some keys. After anything failed, make a new one.
    """

    def __init__(self, table: History, schema: str) -> None:
        self._columns = (*table.kept, *BOUNDS)
        self._make = partial_row_maker(table.of.row, table.kept)
        self._kept = astuple if table.sought is None else attrgetter(*table.sought)
        self._key_name = table.key
        self._key = attrgetter(table.key)
        self._select = _select(table, schema)
        self._upsert = upsert(table, schema)
        self._copying = Copying(schema, table.name, columns_of(table.row), self._values)
        self._end = _end(table, schema, _ends_in_json(table)).as_bytes()
        self._ending = Staging(
            f"ended_{table.name}",
            _end_columns(table),
            self._end_values,
            partial(_end, table, schema),
        )
        self._table = table
        self._last = Remembered()

    def load(
        self,
        conn: Connection,
        by_key: Mapping[Key, Sequence[Entry]],
        settle: Callable[[], None],
    ) -> list[Known]:
        """Return the stays that the events may concern, in order of effective time, for each key.

        It does `settle` before it asks for some of which the last may not be written.
        """
        known: list[Known] = []
        missing: dict[Key, int] = {}
        begins, remembered = self._table.begins, self._last.of(by_key)
        for (key, entries), last in zip(by_key.items(), remembered, strict=True):
            if last is not UNKNOWN and last is not None and _concern_only(last.bounds, entries):
                known.append(last)
                continue
            if not begins(entries[0][1]):
                missing[key] = len(known)
            known.append(())
        if not self._last.unwritten.keys().isdisjoint(missing):
            settle()
        for key, stays in self._stored(conn, missing).items():
            known[missing[key]] = stays
        return known

    def writing(self, conn: Connection, folded: Folded) -> Writing:
        """Return what writes a batch."""
        writing = Writing(conn)
        upserted = folded.changed
        if len(folded.added) < COPIED_ROWS:
            upserted = folded.added + folded.changed
        else:
            self._copying.write(folded.added, writing)
        if upserted:
            writing.statements.append((self._upsert, (as_json([*self._as_rows(upserted)]),)))
        if len(folded.gone) >= COPIED_ROWS:
            self._ending.write(folded.gone, writing)
        elif folded.gone:
            writing.statements.append((self._end, (self._ends(folded.gone),)))
        return writing

    def remember(self, rows: Mapping[Key, Stay | None]) -> None:
        """Keep the last stays that were folded for the next batch, and let go of old ones."""
        self._last.keep(rows)

    def _stored(self, conn: Connection, keys: Collection[Key]) -> dict[Key, list[Stay]]:
        """Return what is not known differently by now."""
        found: dict[Key, list[Stay]] = {}
        width = len(self._columns) - len(BOUNDS)
        if keys:
            with conn.cursor(binary=True) as cursor:
                wanted = [*map(self._table.value_of, keys)]
                cursor.execute(self._select, (wanted, NEVER), prepare=True)
                for values in cursor:
                    stay = Stay(self._make(*values[:width]), Bounds(*values[width:]))
                    found.setdefault(self._table.key_of(stay.row), []).append(stay)
        return found

    def _values(self, stay: Stay) -> tuple[Any, ...]:
        values: tuple[Any, ...] = self._kept(stay.row) + astuple(stay.bounds)
        return values

    def _as_rows(self, stays: Sequence[Stay]) -> Iterator[dict[str, Any]]:
        for stay in stays:
            pairs = zip(self._columns, self._values(stay), strict=True)
            # What is left out is null; most rows have many of these.
            yield {name: value for name, value in pairs if value is not None}

    def _ends(self, stays: Sequence[Stay]) -> str:
        names = (self._key_name, *BOUNDS)
        lines = map(self._end_values, stays)
        return as_json([dict(zip(names, line, strict=True)) for line in lines])

    def _end_values(self, stay: Stay) -> tuple[Any, ...]:
        return self._key(stay.row), *astuple(stay.bounds)


def _concern_only(last: Bounds, entries: Sequence[Entry]) -> bool:
    """Whether all of the events took effect in the last stay alone."""
    begin = last.effective_from
    for _, event in entries:  # `all` takes three times as long
        if event.effective_at < begin:
            return False
    return last.is_last


def _select(table: History, schema: str) -> bytes:
    return (
        SQL(
            "SELECT {} FROM {} WHERE {key} = ANY(%s) AND known_until = %s"
            " ORDER BY {key}, effective_from"
        )
        .format(
            SQL(", ").join(Identifier(column.name) for column in columns_of(table.row)),
            Identifier(schema, table.name),
            key=Identifier(table.key),
        )
        .as_bytes()
    )


def _end_columns(table: History) -> list[Column]:
    """Return what tells a stay and its end."""
    named = (table.key, *BOUNDS)
    return [column for column in columns_of(table.row) if column.name in named]


def _end(table: History, schema: str, place: Composable) -> Composed:
    """Return the statement that gives stays the ends that stand with their keys in `place`."""
    return SQL(
        "UPDATE {name} AS held SET effective_until = new.effective_until,"
        " end_known_from = new.end_known_from, known_until = new.known_until"
        " FROM {place} AS new WHERE held.{key} = new.{key}"
        " AND held.known_from = new.known_from AND held.effective_from = new.effective_from"
    ).format(name=Identifier(schema, table.name), place=place, key=Identifier(table.key))


def _ends_in_json(table: History) -> Composed:
    """Return what reads the keys and bounds of stays from JSON."""
    kinds = [
        SQL("{} {}").format(Identifier(column.name), SQL(column.sql_type))
        for column in _end_columns(table)
    ]
    return SQL("(SELECT * FROM json_to_recordset(%s::json) AS told ({}))").format(
        SQL(", ").join(kinds)
    )
