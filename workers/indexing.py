"""Making the indexes of read tables that have caught up, beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from threading import Event, Lock, Thread
from typing import Any

import psycopg
from psycopg.sql import Composed

from eventlog.pool import Connection
from eventlog.silence import hang_up
from projections.session import open_patient
from projections.store import analyze, statements_for_indexes
from projections.table import ReadTable

Step = Callable[[Connection], object]

AT_ONCE = 2
"""How many indexes are made at the same time, of one table or of several."""


class Indexing:
    """Makes the missing indexes of some tables, which nothing may be written to meanwhile.

    Then it counts for the planner what is in the tables, which may go on. What was made stays,
    whatever dies; the rest is made by the next one.
    """

    def __init__(self, conninfo: str, tables: Sequence[ReadTable[Any]], schema: str) -> None:
        self._error: Exception | None = None
        self._conns = [open_patient(conninfo) for _ in range(AT_ONCE)]
        statements = statements_for_indexes(self._conns[0], tables, schema)
        self._indexes_left = len(statements)
        self._ended = Event()
        self._lock = Lock()
        self._left: Iterator[Step] = chain(
            (partial(self._make_index, statement) for statement in statements),
            (partial(analyze, tables=[table], schema=schema) for table in tables),
        )
        self._threads = [
            Thread(target=self._run, args=(conn,), name="indexing", daemon=True)
            for conn in self._conns
        ]
        for thread in self._threads:
            thread.start()

    def wait(self, timeout_seconds: float) -> None:
        """Wait until all indexes are made, or something went wrong; no longer than this."""
        if self.holds_up:
            self._ended.wait(timeout_seconds)

    @property
    def holds_up(self) -> bool:
        """Whether indexes are still to be made. Raises what went wrong."""
        self._raise_error()
        return self._indexes_left > 0

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

    def _make_index(self, statement: Composed, conn: Connection) -> None:
        conn.execute(statement)
        with self._lock:
            self._indexes_left -= 1
            if not self._indexes_left:
                self._ended.set()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error
