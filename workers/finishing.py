"""Finishing read tables that have caught up, beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from threading import Event, Lock, Thread

import psycopg
from psycopg.sql import Composed

from eventlog.pool import Connection
from eventlog.silence import hang_up
from projections.batch import Stored
from projections.filling import finish_filling
from projections.lease import Lease
from projections.session import open_patient
from projections.store import analyze, largest_first, statements_for_indexes

Step = Callable[[Connection], object]

AT_ONCE = 2
"""How many steps are taken at the same time, for one table or for several."""


class Finishing:
    """Makes the missing indexes of some tables, and adds up the summaries of those being filled.

    Nothing may be written to them meanwhile. Whoever reads a table finds its indexes there, as
    it counts as filled after them. Then it counts for the planner what is in the tables, which may
    go on. What was done stays, whatever dies; the rest is done by the next one.
    """

    def __init__(self, conninfo: str, lease: Lease, stored: Sequence[Stored]) -> None:
        """Finish these tables, of one schema, on which the lease is held."""
        self._lease = lease
        self._schema = stored[0].schema
        self._error: Exception | None = None
        self._conns = [open_patient(conninfo) for _ in range(AT_ONCE)]
        # What takes longest comes first, so that all hands end at about the same time.
        tables = largest_first(self._conns[0], [one.table for one in stored], self._schema)
        by_name = {one.table.name: one for one in stored}
        indexes = {
            table.name: statements_for_indexes(self._conns[0], [table], self._schema)
            for table in tables
        }
        self._indexes_left = {name: len(statements) for name, statements in indexes.items()}
        self._tables_left = len(tables)
        self._ended = Event()
        self._lock = Lock()
        self._left: Iterator[Step] = chain(
            (
                step
                for name, statements in indexes.items()
                for step in self._steps(by_name[name], statements)
            ),
            (partial(analyze, tables=[table], schema=self._schema) for table in tables),
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
        return self._tables_left > 0

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

    def _steps(self, stored: Stored, statements: Sequence[Composed]) -> Sequence[Step]:
        if not statements:
            return [partial(self._finish, stored)]
        return [partial(self._make_index, stored, statement) for statement in statements]

    def _make_index(self, stored: Stored, statement: Composed, conn: Connection) -> None:
        conn.execute(statement)
        with self._lock:
            self._indexes_left[stored.table.name] -= 1
            is_last = not self._indexes_left[stored.table.name]
        if is_last:
            self._finish(stored, conn)

    def _finish(self, stored: Stored, conn: Connection) -> None:
        reached = stored.progress
        if not reached.filled:
            finish_filling(conn, self._lease, stored.table, self._schema, adds_up=reached.adds_up)
        with self._lock:
            self._tables_left -= 1
            if not self._tables_left:
                self._ended.set()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error
