"""Comparing the rows of two tables of the same kind, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL, Identifier

from eventlog.pool import Connection
from projections.names import LIVE
from projections.table import ReadTable

_FETCHED_ROWS = 2_000

Line = tuple[str, str]
"""The key of a row as text, and the row as JSON."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not the same in both.

    Attributes:
        table: name of the SQL table.
        key: the row's key, in the notation of PostgreSQL.
        live: the live row as JSON; None where there is none.
        built: the same row as the log makes it.
    """

    table: str
    key: str
    live: str | None
    built: str | None


def differences(
    live: Connection, built: Connection, schema: str, table: ReadTable[Any]
) -> Iterator[Difference]:
    """Yield every row of the table and its summaries that is not the same in `schema`.

    Both connections must be in a transaction; each is read as it sees the database.
    """
    keys = {table.name: table.primary_key} | {s.name: tuple(s.key) for s in table.stored_summaries}
    for name, key in keys.items():
        lines = _lines(live, LIVE, name, key), _lines(built, schema, name, key)
        for at, ours, theirs in _side_by_side(*lines):
            if ours != theirs:
                yield Difference(name, at, ours, theirs)


def _lines(conn: Connection, schema: str, name: str, key: Sequence[str]) -> Iterator[Line]:
    # In the order of bytes, which is the order in which Python compares text.
    query = SQL(
        'SELECT ROW({})::text COLLATE "C" AS row_key, row_to_json(t)::text FROM {} t ORDER BY 1'
    ).format(SQL(", ").join(map(Identifier, key)), Identifier(schema, name))
    with conn.cursor(f"{schema}.{name}") as cursor:
        cursor.itersize = _FETCHED_ROWS
        yield from cursor.execute(query)


def _side_by_side(
    left: Iterator[Line], right: Iterator[Line]
) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield each key with the rows that the two sides, both in order of key, have there."""
    ours, theirs = next(left, None), next(right, None)
    while ours is not None or theirs is not None:
        key = min(line[0] for line in (ours, theirs) if line is not None)
        mine = other = None
        if ours is not None and ours[0] == key:
            mine, ours = ours[1], next(left, None)
        if theirs is not None and theirs[0] == key:
            other, theirs = theirs[1], next(right, None)
        yield key, mine, other
