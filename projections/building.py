"""Read tables built beside the live ones, in a schema of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg.sql import SQL, Identifier

from eventlog.pool import Connection
from projections import parked, progress
from projections.columns import columns_of
from projections.names import LIVE
from projections.store import analyze, create_columns, create_indexes, sql_tables
from projections.table import ReadTable

_COLUMNS = """
SELECT column_name::text, data_type::text FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""


def prepare(conn: Connection, tables: Sequence[ReadTable[Any]], schema: str) -> list[str]:
    """Make the tables, without indexes; what an interrupted build of the same left is kept.

    Returns the names of the tables of which something was kept.
    """
    conn.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))
    progress.create(conn, schema)
    parked.create(conn, schema)
    kept = []
    for table in tables:
        if _can_go_on(conn, table, schema):
            kept.append(table.name)
        else:
            with conn.transaction():
                drop(conn, [table], schema)
                create_columns(conn, table, schema)
                progress.begin(conn, schema, table, filled=False)
    return kept


def restart(conn: Connection, table: ReadTable[Any], schema: str, *, adds_up: bool = False) -> None:
    """Empty a table, to begin again with the first event; who builds it stays the same.

    Its summaries are added up at the end, or with every event where it `adds_up`.
    """
    with conn.transaction():
        for name in sql_tables([table]):
            conn.execute(SQL("TRUNCATE {}").format(Identifier(schema, name)))
        parked.release_all(conn, schema, table.name)
        progress.restart(conn, schema, table.name, adds_up=adds_up)


def finish(conn: Connection, tables: Sequence[ReadTable[Any]], schema: str) -> None:
    """Make the indexes, and count what the planner needs to know."""
    for table in tables:
        create_indexes(conn, table, schema)
    analyze(conn, tables, schema)


def drop(conn: Connection, tables: Sequence[ReadTable[Any]], schema: str) -> None:
    """Throw away what was built of these tables."""
    for name in sql_tables(tables):
        conn.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(schema, name)))
    names = [table.name for table in tables]
    for of in ("progress", "parked"):
        statement = SQL("DELETE FROM {} WHERE table_name = ANY(%s)")
        conn.execute(statement.format(Identifier(schema, of)), (names,))


def discard(conn: Connection, schema: str) -> None:
    """Throw away the whole schema, with all that was built in it. Refuses the live one."""
    if schema == LIVE:
        raise ValueError(f"{schema} holds the tables that are in use")
    conn.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))


def _can_go_on(conn: Connection, table: ReadTable[Any], schema: str) -> bool:
    found = progress.read(conn, schema).get(table.name)
    expected = [(column.name, column.shown_type) for column in columns_of(table.row)]
    return (
        found is not None
        and found.definition == table.definition
        and conn.execute(_COLUMNS, (schema, table.name)).fetchall() == expected
    )
