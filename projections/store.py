"""The read tables in PostgreSQL, made from their row classes.

Every function takes the schema, so that the same tables can stand beside the live
ones while they are built anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString
from zlib import crc32

from psycopg.sql import SQL, Composable, Composed, Identifier

from eventlog.pool import Connection
from projections import parked, progress
from projections.columns import Column, columns_of, summary_columns
from projections.names import LIVE
from projections.table import ReadTable

# Room in each page for the next version of its rows, which are changed a few times each.
_ROW_FILL_PERCENT = 80
_SUMMARY_FILL_PERCENT = 50


CLOSE_EVENTS = 2_000
"""A table that is further behind than this is filled without indexes, which takes half the time."""

_LAST = "SELECT coalesce(max(position), 0) FROM rollbook.events"

_INDEXES = """
SELECT held.relname::text, made.relname::text
FROM pg_index
JOIN pg_class held ON held.oid = indrelid
JOIN pg_class made ON made.oid = indexrelid
WHERE held.relnamespace = to_regnamespace(%s) AND NOT indisprimary
"""


def create_tables(conn: Connection, tables: Sequence[ReadTable[Any]], schema: str = LIVE) -> None:
    """Create the tables, their summaries, indexes and progress where they are missing.

    A table that was built by another definition is left as it is: a rebuild replaces it.
    One that is far behind the log is filled first: it gets its summaries and indexes from its
    projector, once that has caught up.
    """
    conn.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))
    progress.create(conn, schema)
    parked.create(conn, schema)
    known = progress.read(conn, schema)
    close = last_position(conn) - CLOSE_EVENTS
    for table in tables:
        if table.name in known and known[table.name].definition != table.definition:
            continue
        create_columns(conn, table, schema)
        is_close = (known[table.name].position if table.name in known else 0) >= close
        progress.begin(conn, schema, table, filled=is_close)
        if is_close:
            create_indexes(conn, table, schema)


def create_columns(conn: Connection, table: ReadTable[Any], schema: str) -> None:
    """Create the SQL table and its summaries, with no indexes besides the keys."""
    conn.execute(
        _create(schema, table.name, columns_of(table.row), table.primary_key, _ROW_FILL_PERCENT)
    )
    for summary in table.stored_summaries:
        conn.execute(
            _create(
                schema,
                summary.name,
                summary_columns(summary),
                list(summary.key),
                _SUMMARY_FILL_PERCENT,
            )
        )


def create_indexes(conn: Connection, table: ReadTable[Any], schema: str) -> None:
    """Create the missing indexes besides the key, and drop those that are not declared."""
    for statement in statements_for_indexes(conn, [table], schema):
        conn.execute(statement)


def statements_for_indexes(
    conn: Connection, tables: Iterable[ReadTable[Any]], schema: str
) -> list[Composed]:
    """Return what creates the missing indexes, and drops those that are not declared."""
    found, there = [], _indexes(conn, schema)
    for table in tables:
        declared = {_index_name(table, index): index for index in table.indexes}
        found += [
            _create_index(table, index, schema)
            for name, index in declared.items()
            if name not in there[table.name]
        ]
        found += [
            SQL("DROP INDEX IF EXISTS {}").format(Identifier(schema, name))
            for name in there[table.name] - declared.keys()
        ]
    return found


def unfinished(conn: Connection, tables: Iterable[ReadTable[Any]], schema: str = LIVE) -> set[str]:
    """Return the names of the tables that lack their summaries, or some of their indexes."""
    there, reached = _indexes(conn, schema), progress.read(conn, schema)
    return {
        table.name
        for table in tables
        if (table.name in reached and not reached[table.name].filled)
        or any(_index_name(table, index) not in there[table.name] for index in table.indexes)
    }


def _indexes(conn: Connection, schema: str) -> Mapping[str, set[str]]:
    """Return the names of the indexes besides the keys, by table."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for table, index in conn.execute(_INDEXES, (schema,)):
        found[table].add(index)
    return found


def _index_name(table: ReadTable[Any], index: str) -> str:
    """Return a name that tells the index: one that is declared otherwise is another one."""
    return f"{table.name}_{crc32(index.encode()):08x}"


def _create_index(table: ReadTable[Any], index: LiteralString, schema: str) -> Composed:
    return SQL("CREATE INDEX IF NOT EXISTS {} ON {} {}").format(
        Identifier(_index_name(table, index)), Identifier(schema, table.name), SQL(index)
    )


def largest_first(
    conn: Connection, tables: Iterable[ReadTable[Any]], schema: str
) -> list[ReadTable[Any]]:
    """Return the tables in the order of their sizes on disk, without their indexes."""
    query = "SELECT pg_relation_size(to_regclass(%s))"

    def size(table: ReadTable[Any]) -> int:
        name = Identifier(schema, table.name).as_string()
        [(size_bytes,)] = conn.execute(query, (name,)).fetchall()
        return size_bytes or 0

    return sorted(tables, key=size, reverse=True)


def analyze(conn: Connection, tables: Iterable[ReadTable[Any]], schema: str) -> None:
    """Count what the planner needs to know."""
    for name in sql_tables(tables):
        conn.execute(SQL("ANALYZE {}").format(Identifier(schema, name)))


def last_position(conn: Connection) -> int:
    """Return the last position of the log; 0 when it is empty."""
    [(position,)] = conn.execute(_LAST).fetchall()
    return int(position)


def sql_tables(tables: Iterable[ReadTable[Any]]) -> list[str]:
    """Return the names of all SQL tables that the read tables are stored in."""
    return [name for t in tables for name in (t.name, *(s.name for s in t.stored_summaries))]


def _create(
    schema: str, name: str, columns: Iterable[Column], key: Sequence[str], fill_percent: int
) -> Composed:
    return SQL(
        "CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({})) WITH (fillfactor = {})"
    ).format(
        Identifier(schema, name),
        SQL(", ").join(map(_definition, columns)),
        SQL(", ").join(map(Identifier, key)),
        SQL(str(fill_percent)),
    )


def _definition(of: Column) -> Composable:
    return SQL("{} {}{}").format(
        Identifier(of.name),
        SQL(of.sql_type),
        SQL("" if of.nullable else " NOT NULL"),
    )
