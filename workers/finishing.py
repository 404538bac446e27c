"""Finishing read tables that have caught up, beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from threading import Event, Lock, Thread
from typing import Any

import psycopg

from eventlog.pool import Connection
from eventlog.silence import hang_up
from projections.filling import finish_filling
from projections.lease import Lease
from projections.session import open_patient
from projections.store import analyze, largest_first, statements_for_indexes
from projections.table import ReadTable

Step = Callable[[Connection], object]

AT_ONCE = 2
"""How many steps are taken at the same time, for one table or for several."""


class Finishing:
    """Adds up the summaries of some tables that were filled, and makes their missing indexes.

    Nothing may be written to them meanwhile. Then it counts for the planner what is in the tables,
    which may go on. What was done stays, whatever dies; the rest is done by the next one.
    """

    def __init__(
        self,
        conninfo: str,
        lease: Lease,
        tables: Sequence[ReadTable[Any]],
        schema: str,
        filled: Sequence[str],
    ) -> None:
        """Finish the tables, of which those that are `filled` have their summaries."""
        self._error: Exception | None = None
        self._conns = [open_patient(conninfo) for _ in range(AT_ONCE)]
        # What takes longest comes first, so that all hands end at about the same time.
        tables = largest_first(self._conns[0], tables, schema)
        due: list[Step] = [
            partial(finish_filling, lease=lease, table=table, schema=schema)
            for table in tables
            if table.name not in filled
        ]
        due += [
            partial(Connection.execute, query=statement)
            for statement in statements_for_indexes(self._conns[0], tables, schema)
        ]
        self._due = len(due)
        self._ended = Event()
        self._lock = Lock()
        self._left: Iterator[Step] = chain(
            (partial(self._do, step) for step in due),
            (partial(analyze, tables=[table], schema=schema) for table in tables),
        )
        self._threads = [
            Thread(target=self._run, args=(conn,), name="finishing", daemon=True)
            for conn in self._conns
        ]
        for thread in self._threads:
            thread.start()

    def wait(self, timeout_seconds: float) -> None:
        """Wait until the tables may go on, or something went wrong; no longer than this."""
        if self.holds_up:
            self._ended.wait(timeout_seconds)

    @property
    def holds_up(self) -> bool:
        """Whether nothing may be written to the tables so far. Raises what went wrong."""
        self._raise_error()
        return self._due > 0

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do. Raises what went wrong."""
        self._raise_error()
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """End it, done or not."""
        for conn in self._conns:
            with suppress(psycopg.Error):
                conn.cancel_safe()
            # It may wait for a server that says nothing any more.
            hang_up(conn)
        for thread in self._threads:
            thread.join()

    def _run(self, conn: Connection) -> None:
        try:
            with conn:
                while (step := self._next_step()) is not None:
                    step(conn)
        except Exception as error:  # noqa: BLE001  # it is raised where it is asked for
            self._error = error
            self._ended.set()

    def _next_step(self) -> Step | None:
        with self._lock:
            return next(self._left, None)

    def _do(self, step: Step, conn: Connection) -> None:
        step(conn)
        with self._lock:
            self._due -= 1
            if not self._due:
                self._ended.set()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error
