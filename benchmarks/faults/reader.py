"""A process that follows the log until it is killed: `python -m benchmarks.faults.reader`."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from time import sleep

import psycopg
from eventsourcing.persistence import Notification, PersistenceError

from benchmarks.faults.journal import ReaderJournal
from eventlog import statements
from eventlog.pool import open_connection
from eventlog.reader import LogReader

_LIMIT = 500
_PAUSE_SECONDS = 0.005


class NaiveReader:
    """What one would write without thinking about when numbers are drawn."""

    def __init__(self, conn: psycopg.Connection, after: int) -> None:
        self._conn = conn
        self._position = after

    def read(self, limit: int) -> list[Notification]:
        """Whatever is there behind the last one."""
        events = statements.select_log(self._conn.cursor(binary=True), self._position, limit)
        if events:
            self._position = events[-1].id
        return events


KINDS = {"careful": LogReader, "naive": NaiveReader}


def main(url: str, path: str, kind: str) -> None:
    """Follows the log at this URL and keeps its journal at this path, until it is killed."""
    journal = ReaderJournal(Path(path))
    position = journal.position
    while True:
        with suppress(PersistenceError, psycopg.Error), open_connection(url) as conn:
            reader = KINDS[kind](conn, position)
            while True:
                events = reader.read(_LIMIT)
                if not events:
                    sleep(_PAUSE_SECONDS)
                    continue
                journal.add(events)
                position = events[-1].id
        sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
