"""Filling a table from far behind: its summaries are added up at once, at the end.

As long as a table is not filled its summaries are empty, and nobody reads it.
"""

from __future__ import annotations

import logging
from typing import Any

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier

from eventlog.pool import Connection
from projections import building
from projections.lease import Lease
from projections.summing import summing
from projections.table import ReadTable, Summary, SumTable

logger = logging.getLogger(__name__)


class BegunAgain(Exception):
    """A table takes in the log from its beginning again, event by event with its summaries."""


def finish_filling(
    conn: Connection, lease: Lease, table: ReadTable[Any], schema: str, *, adds_up: bool
) -> None:
    """Add up the summaries of a table that nobody writes to meanwhile; it is filled then.

    One that `adds_up` has them already.

    All of it is one transaction, in which the lease comes last: adding up takes long, and others
    must be able to renew it or to take the table. Where they took it nothing is stored.

    A row may be such that the database cannot add it up. Nobody knows then which event was at
    fault, so the table begins again, and adds up with every event, which parks that one.

    Raises `LeaseLost`, `BegunAgain`.
    """
    try:
        with conn.transaction():
            if not adds_up:
                _add_up(conn, table, schema)
            lease.mark_filled(conn, table.name)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        logger.warning("cannot add up %s, beginning again: %s", table.name, error)
        with conn.transaction():
            lease.mark_filled(conn, table.name)
            building.restart(conn, table, schema, adds_up=True)
        raise BegunAgain from error


def _add_up(conn: Connection, table: ReadTable[Any], schema: str) -> None:
    for summary in table.summaries:
        for stored in summary.stored:
            conn.execute(_insert(table, summary, stored, schema))


def _insert(
    table: ReadTable[Any], summary: Summary[Any], stored: SumTable, schema: str
) -> Composed:
    columns: list[Composable] = [Identifier(name) for name in (*stored.key, *stored.amounts)]
    rows = SQL("{} WHERE true").format(Identifier(schema, table.name)).as_string()
    return SQL("INSERT INTO {} ({}) {}").format(
        Identifier(schema, stored.name),
        SQL(", ").join(columns),
        SQL(summing(summary, stored, rows)),
    )
