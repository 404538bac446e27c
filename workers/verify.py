"""Proving that the live tables are what the log makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event as Signal
from typing import Any

from eventlog.codec import EventCodec
from projections import building
from projections.session import open_patient, open_writing
from projections.switching import live_progress
from projections.table import ReadTable
from workers.build import Builder, OnProgress
from workers.check import OnDifference, Verdict, compare

SCHEMA = "rollbook_verify"


class OtherDefinitionError(Exception):
    """A live table was built by another definition, so it must be rebuilt first."""

    def __init__(self, table: str) -> None:
        super().__init__(f"{table} was built by another version: run `rollbook rebuild {table}`.")
        self.table = table


class UnfilledError(Exception):
    """A live table is still filled for the first time, so there is nothing to prove yet."""

    def __init__(self, table: str) -> None:
        super().__init__(f"{table} is still filled from the log: wait until it has caught up.")
        self.table = table


def verify(
    conninfo: str,
    codec: EventCodec,
    tables: Sequence[ReadTable[Any]],
    stop: Signal,
    on_progress: OnProgress = lambda _reached, _goal: None,
    on_difference: OnDifference = lambda _difference: None,
) -> list[Verdict]:
    """Fold the log anew beside the live `tables` and compare: events, digest and every row.

    Nothing of it is kept. Raises `OtherDefinitionError`, `UnfilledError`, `Stopped`,
    `BuildRunningError`, and psycopg.Error when the database is away.
    """
    with open_patient(conninfo) as conn, open_writing(conninfo) as writing:
        live = live_progress(conn)
        for table in tables:
            if table.name not in live or live[table.name].definition != table.definition:
                raise OtherDefinitionError(table.name)
            if not live[table.name].filled:
                raise UnfilledError(table.name)
        building.prepare(conn, tables, SCHEMA)
        builder = Builder(conninfo, codec, writing, SCHEMA, stop, on_progress)
        builder.take(tables)
        try:
            for table in tables:
                building.restart(conn, table, SCHEMA)
            builder.build_to(min(live[table.name].position for table in tables), tables)
            return compare(conninfo, builder, tables, SCHEMA, on_difference)
        finally:
            building.discard(conn, SCHEMA)
