"""Making the indexes of read tables that have caught up, beside everything else."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Thread
from typing import Any

from eventlog.pool import Connection
from projections.session import open_patient
from projections.store import analyze, create_indexes
from projections.table import ReadTable


class Indexing:
    """Makes the missing indexes of some tables, which nothing may be written to meanwhile.

    What was made stays, whatever dies; the rest is made by the next one.
    """

    def __init__(self, conninfo: str, tables: Sequence[ReadTable[Any]], schema: str) -> None:
        self._tables = tables
        self._schema = schema
        self._error: Exception | None = None
        self._conn: Connection = open_patient(conninfo)
        self._thread = Thread(target=self._run, name="indexing", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether all is made. Raises what went wrong."""
        if self._thread.is_alive():
            return False
        if self._error is not None:
            raise self._error
        return True

    def close(self) -> None:
        """End it, done or not."""
        self._conn.cancel_safe()
        self._thread.join()

    def _run(self) -> None:
        try:
            with self._conn as conn:
                for table in self._tables:
                    create_indexes(conn, table, self._schema)
                    analyze(conn, [table], self._schema)
        except Exception as error:  # noqa: BLE001  # it is raised where it is asked for
            self._error = error
