"""Wakes waiting readers when there is something new.

Only a hint: one that is lost costs a poll interval, never an event.
"""

from __future__ import annotations

import logging
from threading import Event, Lock, Thread
from time import monotonic, sleep

import psycopg

from eventlog.names import CHANNEL
from eventlog.pool import Connection, open_connection

_COALESCE_SECONDS = 0.002
_FIRST_RETRY_SECONDS = 0.05
_LONGEST_RETRY_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Bell:
    """Rings for all listeners, from a thread and a connection of its own.

    The connection is apart from the command's, for a NOTIFY inside of a transaction makes the
    commits of all writers wait for each other.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._wanted = Event()
        self._closing = Event()
        self._starting = Lock()
        self._thread: Thread | None = None

    def ring(self) -> None:
        """Wakes the listeners soon; neither blocks nor raises. Rings within 2 ms are one."""
        self._wanted.set()
        if self._thread is None:
            self._start()

    def close(self) -> None:
        """Sends what is still wanted, if it can be sent at once, and ends the thread."""
        self._closing.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        # Not in the constructor: a thread does not survive the fork of a server's workers.
        with self._starting:
            if self._thread is None and not self._closing.is_set():
                self._thread = Thread(target=self._run, name="eventlog-bell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        retry_seconds = _FIRST_RETRY_SECONDS
        while not self._closing.is_set():
            try:
                with open_connection(self._conninfo) as conn:
                    retry_seconds = _FIRST_RETRY_SECONDS
                    self._ring_on(conn)
            except psycopg.Error as error:
                self._wanted.set()
                logger.warning("cannot wake readers, next try in %s s: %s", retry_seconds, error)
                self._closing.wait(retry_seconds)
                retry_seconds = min(retry_seconds * 2, _LONGEST_RETRY_SECONDS)

    def _ring_on(self, conn: Connection) -> None:
        # A hint need not be on disk before the next one.
        conn.execute("set synchronous_commit = off")
        while True:
            self._wanted.wait()
            self._wanted.clear()
            conn.execute(f"notify {CHANNEL}".encode())
            if self._closing.wait(_COALESCE_SECONDS):
                return


class Ear:
    """Waits for the bell on a connection of its own; to be used by one thread."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._conn: Connection | None = None

    def wait(self, timeout_seconds: float) -> bool:
        """Whether the bell rang since the last call, or rings within the time.

        True also when the connection is new, for there may have been a ring meanwhile. False after
        the whole time when the database cannot be reached.
        """
        until = monotonic() + timeout_seconds
        try:
            if self._conn is None:
                self._conn = open_connection(self._conninfo)
                self._conn.execute(f"listen {CHANNEL}".encode())
                return True
            return any(True for _ in self._conn.notifies(timeout=timeout_seconds, stop_after=1))
        except psycopg.Error as error:
            logger.warning("cannot listen for new events: %s", error)
            self.close()
            sleep(max(0.0, until - monotonic()))
            return False

    def close(self) -> None:
        """Gives up the connection; the next call opens another."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None
