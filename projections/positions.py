"""Waiting until read tables have reached a position, for a process that answers queries."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from threading import Event, Lock, Thread

import psycopg

from eventlog.pool import Connection, open_connection
from projections.names import CHANNEL
from projections.progress import read

_POLL_SECONDS = 0.05
_RETRY_SECONDS = 0.5

logger = logging.getLogger(__name__)


class _Waiter:
    def __init__(self, tables: Sequence[str], position: int) -> None:
        self._tables = tables
        self._position = position
        self.done = Event()

    def is_served_by(self, known: Mapping[str, int]) -> bool:
        return all(known.get(table, -1) >= self._position for table in self._tables)


class Positions:
    """Positions of the live tables.

    One thread follows them for all who wait, and wakes each when its own position is
    reached; it starts with the first.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._known: Mapping[str, int] = {}
        self._lock = Lock()
        self._waiters: set[_Waiter] = set()
        self._thread: Thread | None = None
        self._closing = Event()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def end(self, conn: Connection) -> int:
        """Return the position of the last event in the log; 0 without any."""
        row = conn.execute("SELECT max(position) FROM rollbook.events").fetchone()
        return int(row[0] or 0) if row else 0

    def wait(self, tables: Sequence[str], position: int, timeout_seconds: float) -> bool:
        """Return whether all `tables` reach `position` within the time."""
        waiter = _Waiter(tables, position)
        with self._lock:
            if waiter.is_served_by(self._known):
                return True
            self._waiters.add(waiter)
            self._follow()
        try:
            return waiter.done.wait(timeout_seconds)
        finally:
            with self._lock:
                self._waiters.discard(waiter)

    def _follow(self) -> None:
        # Not in the constructor: a thread does not survive the fork of a server's workers.
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._run, name="positions", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with open_connection(self._conninfo) as conn:
                    conn.execute(f"LISTEN {CHANNEL}".encode())
                    self._listen(conn)
            except psycopg.Error as error:
                logger.warning("cannot follow the read tables, trying again: %s", error)
                self._closing.wait(_RETRY_SECONDS)

    def _listen(self, conn: Connection) -> None:
        while not self._closing.is_set():
            self._serve({name: progress.position for name, progress in read(conn).items()})
            # A hint only: without one it looks again after the pause.
            pause = _POLL_SECONDS if self._waiters else _RETRY_SECONDS
            any(True for _ in conn.notifies(timeout=pause, stop_after=1))

    def _serve(self, known: Mapping[str, int]) -> None:
        with self._lock:
            self._known = known
            for waiter in self._waiters:
                if waiter.is_served_by(known):
                    waiter.done.set()
