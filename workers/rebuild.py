"""Building read tables anew while the old ones answer, and switching to them at one stroke.

It reads the log, and writes in a schema of its own until the switch: nothing is
published or sent. An interrupted rebuild goes on where it was, or is discarded.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event as Signal
from time import monotonic
from typing import Any

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from projections import building, progress
from projections.progress import Progress
from projections.session import open_patient, open_writing
from projections.store import last_position
from projections.switching import live_progress, switch
from projections.table import ReadTable
from workers.build import Builder, BuildRunningError, OnProgress, Stopped
from workers.check import OnDifference, Verdict, compare

__all__ = ["BuildRunningError", "Rebuilt", "Stopped", "discard", "rebuild"]

SCHEMA = "rollbook_rebuild"
CLOSE_SECONDS = 1.0
CATCH_UPS = 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did.

    Attributes:
        tables: the names of the tables that were switched.
        position: where they are now at least.
        continued: the names of those of which an interrupted rebuild had left something.
        verdicts: how the old ones compared, for each that was filled by the same definition.
    """

    tables: tuple[str, ...]
    position: int
    continued: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


def rebuild(
    conninfo: str,
    codec: EventCodec,
    tables: Sequence[ReadTable[Any]],
    stop: Signal,
    on_progress: OnProgress = lambda _reached, _goal: None,
    on_difference: OnDifference = lambda _difference: None,
) -> Rebuilt:
    """Build `tables` from the log, compare them with the live ones, and switch.

    Raises `Stopped`, `BuildRunningError`, and psycopg.Error when the database is away.
    """
    with open_patient(conninfo) as conn, open_writing(conninfo) as writing:
        continued = building.prepare(conn, tables, SCHEMA)
        builder = Builder(conninfo, codec, writing, SCHEMA, stop, on_progress)
        builder.take(tables)
        _restart_those_ahead(conn, tables)
        verdicts = _build_and_compare(conninfo, conn, builder, tables, on_difference)
        building.finish(conn, tables, SCHEMA)
        _come_close(conn, builder, tables)
        switch(conn, tables, SCHEMA, builder.lease, lambda to: builder.build_to(to, tables))
        reached = progress.read(conn)
    names = tuple(table.name for table in tables)
    logger.info("rebuilt %s", ", ".join(names))
    position = min(reached[name].position for name in names)
    return Rebuilt(names, position, tuple(continued), tuple(verdicts))


def discard(conninfo: str) -> None:
    """Throw away what an interrupted rebuild left. Not while one is running."""
    with open_patient(conninfo) as conn:
        building.discard(conn, SCHEMA)


def _restart_those_ahead(conn: Connection, tables: Sequence[ReadTable[Any]]) -> None:
    """Begin again with those that are ahead of the live ones, which could not be compared."""
    live, built = live_progress(conn), progress.read(conn, SCHEMA)
    for table in _comparable(tables, live):
        if built[table.name].position > live[table.name].position:
            building.restart(conn, table, SCHEMA)


def _build_and_compare(
    conninfo: str,
    conn: Connection,
    builder: Builder,
    tables: Sequence[ReadTable[Any]],
    on_difference: OnDifference,
) -> list[Verdict]:
    live = live_progress(conn)
    comparable = _comparable(tables, live)
    goals = [live[table.name].position for table in comparable]
    builder.build_to(min(goals, default=last_position(conn)), tables)
    return compare(conninfo, builder, comparable, SCHEMA, on_difference) if comparable else []


def _comparable(
    tables: Sequence[ReadTable[Any]], live: dict[str, Progress]
) -> list[ReadTable[Any]]:
    def is_comparable(found: Progress | None, table: ReadTable[Any]) -> bool:
        return found is not None and found.filled and found.definition == table.definition

    return [table for table in tables if is_comparable(live.get(table.name), table)]


def _come_close(conn: Connection, builder: Builder, tables: Sequence[ReadTable[Any]]) -> None:
    """Get so near to the end of the log that the rest takes no time worth noticing."""
    for _ in range(CATCH_UPS):
        began = monotonic()
        builder.build_to(last_position(conn), tables)
        if monotonic() - began < CLOSE_SECONDS:
            return
