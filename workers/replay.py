"""Building all read tables as they were, in a schema of their own, for those who investigate.

It reads the log and writes in that schema alone: nothing is published or sent, and
the live tables are not touched. An interrupted replay goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Signal
from typing import Any

from psycopg.sql import SQL, Identifier

from eventlog.codec import EventCodec
from eventlog.history import last_position, last_recorded
from eventlog.pool import Connection
from projections import building, investigating, parked, progress
from projections.session import open_patient, open_writing
from projections.table import ReadTable
from workers.build import Builder, OnProgress


class NothingToReplayError(ValueError):
    """The log has no event there."""


@dataclass(frozen=True, slots=True)
class ReplayedTable:
    """A read table as it was.

    Attributes:
        events: how many events it took in.
        digest: of their positions, as in `projections.progress`.
        rows: how many rows it has.
        parked_rows: how many rows an event could not be applied to.
    """

    name: str
    events: int
    digest: int
    rows: int
    parked_rows: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay made: all tables as they were at `position`.

    Attributes:
        continued: whether an interrupted replay had left something.
    """

    position: int
    continued: bool
    tables: tuple[ReplayedTable, ...]


def position_of(conninfo: str, position: int | None, known_at: datetime | None) -> int:
    """Return the position of the last event up to `position`, or recorded by `known_at`.

    Raises `NothingToReplayError` when there is none, or the log does not reach that far.
    """
    with open_patient(conninfo) as conn:
        if known_at is not None:
            found = last_recorded(conn, known_at)
            if found is None:
                raise NothingToReplayError(f"No event was recorded by {known_at.isoformat()}.")
            return found
        asked = position or 0
        found = last_position(conn, asked)
        if found is None or last_position(conn, 2**63 - 1) < asked:  # type: ignore[operator]
            raise NothingToReplayError(f"The log has no position {asked}.")
        return found


def replay(
    conninfo: str,
    codec: EventCodec,
    tables: Sequence[ReadTable[Any]],
    position: int,
    schema: str,
    stop: Signal,
    on_progress: OnProgress = lambda _reached, _goal: None,
) -> Replayed:
    """Build `tables` as they were at `position`, which is that of an event, in `schema`.

    Raises `UnsafeSchemaError`, `Stopped`, `BuildRunningError`, and psycopg.Error when the
    database is away.
    """
    with open_patient(conninfo) as conn, open_writing(conninfo) as writing:
        continued = investigating.claim(conn, schema, position)
        building.prepare(conn, tables, schema)
        builder = Builder(conninfo, codec, writing, schema, stop, on_progress)
        builder.take(tables)
        try:
            builder.build_to(position, tables)
            building.finish(conn, tables, schema)
        finally:
            builder.lease.give_back(writing)
        return Replayed(position, continued, tuple(_report(conn, tables, schema)))


def discard(conninfo: str, schema: str) -> None:
    """Throw a replay away. Raises `UnsafeSchemaError` when the schema holds anything else."""
    with open_patient(conninfo) as conn:
        investigating.drop(conn, schema)


def _report(conn: Connection, tables: Sequence[ReadTable[Any]], schema: str) -> list[ReplayedTable]:
    reached = progress.read(conn, schema)
    held_up = parked.row_counts(conn, schema)
    return [
        ReplayedTable(
            name=table.name,
            events=reached[table.name].events,
            digest=reached[table.name].digest,
            rows=_rows(conn, schema, table.name),
            parked_rows=held_up.get(table.name, 0),
        )
        for table in tables
    ]


def _rows(conn: Connection, schema: str, table: str) -> int:
    query = SQL("SELECT count(*) FROM {}").format(Identifier(schema, table))
    ((rows,),) = conn.execute(query).fetchall()
    return int(rows)
