"""Building read tables beside the live ones, from the log alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from threading import Event as Signal
from time import monotonic, sleep
from typing import Any

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from projections import progress
from projections.batch import Stored
from projections.filling import BegunAgain, finish_filling
from projections.lease import LEASE_SECONDS, Lease
from projections.session import open_patient
from projections.table import ReadTable
from workers.interpreter import folding_batches
from workers.lanes import Lanes

POLL_SECONDS = 0.05
RENEW_SECONDS = 0.5

OnProgress = Callable[[int, int], None]
"""Told the position reached, and the one to be reached."""


class Stopped(Exception):
    """It was asked to stop; what is built so far is kept."""

    def __init__(self) -> None:
        super().__init__("Stopped; run it again to go on.")


class BuildRunningError(Exception):
    """Another process builds these tables right now."""

    def __init__(self, schema: str) -> None:
        super().__init__(f"Another process is building in {schema}. Wait for it, or stop it.")
        self.schema = schema


class Builder:
    """Folds the log into prepared tables of one schema; raises `Stopped` when `stop` is set."""

    def __init__(
        self,
        conninfo: str,
        codec: EventCodec,
        conn: Connection,
        schema: str,
        stop: Signal,
        on_progress: OnProgress,
    ) -> None:
        self._conninfo = conninfo
        self._codec = codec
        self._conn = conn
        self._schema = schema
        self._stop = stop
        self._on_progress = on_progress
        self.lease = Lease(schema)

    def take(self, tables: Sequence[ReadTable[Any]]) -> None:
        """Be the only one who builds these tables. Raises `BuildRunningError`."""
        # One that was killed holds on for as long as its lease lasts.
        until = monotonic() + LEASE_SECONDS + 1
        missing = {table.name: table for table in tables}
        while missing:
            for name in self.lease.take(self._conn, missing.values()):
                del missing[name]
            if missing and monotonic() > until:
                self.lease.give_back(self._conn)
                raise BuildRunningError(self._schema)
            if missing:
                sleep(POLL_SECONDS)

    def build_to(self, position: int, tables: Sequence[ReadTable[Any]]) -> None:
        """Bring the tables to `position`, which is that of an event; those beyond stay there."""
        if self._stop.is_set():
            raise Stopped
        with folding_batches():
            while True:
                self._fold_to(position, tables)
                with suppress(BegunAgain):
                    return self._finish_filling(tables)

    def _finish_filling(self, tables: Sequence[ReadTable[Any]]) -> None:
        reached = progress.read(self._conn, self._schema)
        unfilled = [table for table in tables if not reached[table.name].filled]
        with open_patient(self._conninfo) as conn, ThreadPoolExecutor(1) as beside:
            for table in unfilled:
                adds_up = reached[table.name].adds_up
                filling = beside.submit(
                    finish_filling, conn, self.lease, table, self._schema, adds_up=adds_up
                )
                self._wait_for(filling, conn)

    def _wait_for(self, filling: Future[None], conn: Connection) -> None:
        """Keep the lease meanwhile. Raises what `finish_filling` raises."""
        while not wait([filling], RENEW_SECONDS).done:
            if self._stop.is_set():
                conn.cancel_safe()
                raise Stopped
            self.lease.renew(self._conn)
        filling.result()

    def _fold_to(self, position: int, tables: Sequence[ReadTable[Any]]) -> None:
        reached = progress.read(self._conn, self._schema)
        next_renewal = 0.0
        with closing(Lanes(self._conninfo, self._codec, self._conn, self.lease)) as lanes:
            if min(reached[table.name].position for table in tables) < position:
                lanes.add(
                    Stored(self._conn, table, self._schema, reached[table.name]) for table in tables
                )
            while lanes.busy and lanes.position < position:
                if self._stop.is_set():
                    raise Stopped
                lanes.work(POLL_SECONDS, up_to=position)
                if monotonic() > next_renewal:
                    lanes.keep()
                    next_renewal = monotonic() + RENEW_SECONDS
                self._on_progress(lanes.position, position)
