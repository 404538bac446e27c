"""Putting tables that were built beside in the place of the live ones, at one stroke."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from random import uniform
from time import sleep
from typing import Any

from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Identifier

from eventlog.pool import Connection
from projections import progress
from projections.lease import Lease
from projections.names import CHANNEL, LIVE
from projections.store import sql_tables
from projections.table import ReadTable

REPLACED = "rollbook_replaced"

# Queries that come meanwhile queue up behind the lock that is waited for, so it is given up soon.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '100ms'"
_ATTEMPTS = 200

_LOCK = SQL("""
SELECT position FROM {} WHERE table_name = ANY(%s) ORDER BY table_name FOR UPDATE
""").format(Identifier(LIVE, "progress"))

logger = logging.getLogger(__name__)


def switch(
    conn: Connection,
    tables: Sequence[ReadTable[Any]],
    schema: str,
    lease: Lease,
    build_to: Callable[[int], None],
) -> None:
    """Replace the live tables by those of `schema`, all in one transaction.

    `build_to` must bring the built tables to a position at least, on another connection;
    it is called while the live ones stand still. Raises `LeaseLost` when the built
    tables are not ours any more, LockNotAvailable when queries never let go of them.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with conn.transaction():
                _switch(conn, tables, schema, lease, build_to)
            break
        except LockNotAvailable:
            if attempt == _ATTEMPTS:
                raise
            sleep(uniform(0.01, 0.1))  # noqa: S311  # nothing secret
    conn.execute(f"NOTIFY {CHANNEL}".encode())
    conn.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(REPLACED)))


def _switch(
    conn: Connection,
    tables: Sequence[ReadTable[Any]],
    schema: str,
    lease: Lease,
    build_to: Callable[[int], None],
) -> None:
    names = [table.name for table in tables]
    conn.execute(_LOCK_TIMEOUT)
    # The projector takes this lock first, too, so the two cannot wait for each other in a ring.
    positions = [position for (position,) in conn.execute(_LOCK, (names,))]
    build_to(max(positions, default=0))
    lease.renew(conn)
    conn.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(REPLACED)))
    conn.execute(SQL("CREATE SCHEMA {}").format(Identifier(REPLACED)))
    for name in sql_tables(tables):
        _move(conn, name, LIVE, REPLACED)
        _move(conn, name, schema, LIVE)
    _move_progress(conn, names, schema)


def _move(conn: Connection, name: str, schema: str, to: str) -> None:
    statement = SQL("ALTER TABLE IF EXISTS {} SET SCHEMA {}")
    conn.execute(statement.format(Identifier(schema, name), Identifier(to)))


def _move_progress(conn: Connection, names: Sequence[str], schema: str) -> None:
    # Without a lease: the projector of the old tables finds its own gone, and begins anew. What
    # was built is filled, as a row of the progress is where nothing else is said.
    for name, columns in (
        ("progress", "table_name, definition, position, events, digest"),
        ("parked", "table_name, key, position, error, parked_at"),
    ):
        conn.execute(
            SQL("DELETE FROM {} WHERE table_name = ANY(%s)").format(Identifier(LIVE, name)),
            (list(names),),
        )
        conn.execute(
            SQL(
                "WITH moved AS (DELETE FROM {} WHERE table_name = ANY(%s) RETURNING {columns})"
                " INSERT INTO {} ({columns}) SELECT {columns} FROM moved"
            ).format(
                Identifier(schema, name),
                Identifier(LIVE, name),
                columns=SQL(columns),
            ),
            (list(names),),
        )


def live_progress(conn: Connection) -> dict[str, progress.Progress]:
    """Return how far the live tables are; nothing where there are none yet."""
    found = conn.execute("SELECT to_regclass(%s)", (f"{LIVE}.progress",)).fetchone()
    return progress.read(conn, LIVE) if found and found[0] else {}
