"""Making the indexes of read tables that have caught up, beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from operator import methodcaller
from threading import Thread
from typing import Any

import psycopg

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

    What was made stays, whatever dies; the rest is made by the next one.
    """

    def __init__(self, conninfo: str, tables: Sequence[ReadTable[Any]], schema: str) -> None:
        self._error: Exception | None = None
        self._conns = [open_patient(conninfo) for _ in range(AT_ONCE)]
        self._left = iter(_steps(self._conns[0], tables, schema))
        self._threads = [
            Thread(target=self._run, args=(conn,), name="indexing", daemon=True)
            for conn in self._conns
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_done(self) -> bool:
        """Whether all is made. Raises what went wrong."""
        if any(thread.is_alive() for thread in self._threads):
            return False
        if self._error is not None:
            raise self._error
        return True

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
                for step in self._left:
                    step(conn)
        except Exception as error:  # noqa: BLE001  # it is raised where it is asked for
            self._error = error


def _steps(conn: Connection, tables: Sequence[ReadTable[Any]], schema: str) -> list[Step]:
    """Return all that is to be done: each index, and then to count what is in each table."""
    statements = statements_for_indexes(conn, tables, schema)
    return [
        *(methodcaller("execute", statement) for statement in statements),
        *(partial(analyze, tables=[table], schema=schema) for table in tables),
    ]
