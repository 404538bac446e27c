"""The projector: keeps the read tables up with the log.

What holds, whatever dies: the rows of a table and its position change in one
transaction, so a table shows the log's events up to its position, each once.
Several projectors may run: each table has one at a time (see `projections.lease`),
the others stand by.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing, suppress
from threading import Event as Signal
from time import monotonic
from typing import Any

import psycopg
from eventsourcing.persistence import PersistenceError

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from projections.batch import Stored
from projections.filling import BegunAgain
from projections.lease import Lease, LeaseLost
from projections.names import LIVE
from projections.session import open_writing
from projections.store import unfinished
from projections.table import ReadTable
from workers.heartbeat import Heartbeat
from workers.interpreter import folding_batches
from workers.lanes import Lanes

POLL_SECONDS = 0.25
LEASE_INTERVAL_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


def run(
    conninfo: str,
    codec: EventCodec,
    tables: Sequence[ReadTable[Any]],
    stop: Signal,
    schema: str = LIVE,
) -> None:
    """Project until `stop` is set; a database that goes away is waited for."""
    with folding_batches():
        pause_seconds = FIRST_PAUSE_SECONDS
        while not stop.is_set():
            began = monotonic()
            try:
                with open_writing(conninfo) as conn:
                    _Projector(conninfo, codec, conn, tables, schema).keep_up(stop)
            except LeaseLost:
                logger.info("lost a table to another process; taking what is free")
            except BegunAgain:
                logger.info("a table begins again; taking what is free")
            except (psycopg.Error, PersistenceError) as error:
                if monotonic() - began > LONGEST_PAUSE_SECONDS:
                    pause_seconds = FIRST_PAUSE_SECONDS
                logger.warning("cannot project, next try in %.1f s: %s", pause_seconds, error)
                stop.wait(pause_seconds)
                pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)


class _Projector:
    """One connection's worth of work."""

    def __init__(
        self,
        conninfo: str,
        codec: EventCodec,
        conn: Connection,
        tables: Sequence[ReadTable[Any]],
        schema: str,
    ) -> None:
        self._conn = conn
        self._missing = {table.name: table for table in tables}
        self._schema = schema
        self._lease = Lease(schema)
        self._lanes = Lanes(conninfo, codec, conn, self._lease)
        self._heartbeat = Heartbeat("projector")
        self._next_look = 0.0

    def keep_up(self, stop: Signal) -> None:
        """Take the tables that are free, and keep them up until `stop`."""
        with closing(self._lanes):
            while not stop.is_set():
                self._look_after_the_lease()
                if self._lanes.busy:
                    self._lanes.work(POLL_SECONDS)
                else:
                    stop.wait(POLL_SECONDS)
        with suppress(psycopg.Error):
            self._lease.give_back(self._conn)

    def _look_after_the_lease(self) -> None:
        now = monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LEASE_INTERVAL_SECONDS
        self._lanes.keep()
        self._take_free_tables()
        self._heartbeat.beat(self._conn, self._lanes.position)

    def _take_free_tables(self) -> None:
        if not self._missing:
            return
        taken = self._lease.take(self._conn, self._missing.values())
        if taken:
            logger.info("projecting %s", ", ".join(sorted(taken)))
        tables = {name: self._missing.pop(name) for name in taken}
        to_finish = unfinished(self._conn, tables.values(), self._schema) if taken else ()
        self._lanes.add(
            (
                Stored(self._conn, tables[name], self._schema, progress)
                for name, progress in taken.items()
            ),
            to_finish,
        )
