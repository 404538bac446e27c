"""Ends the calls of libpq that wait for a server which says nothing.

Such a call gives the interpreter free once, until the whole answer is there. One that looks at the
clock itself does so several times, and under load waits for its turn after each.
"""

from __future__ import annotations

from threading import Lock, Thread
from time import monotonic, sleep
from types import TracebackType

from eventlog.silence import AnsweredConnection, ServerSilent, hang_up

LOOK_EVERY_SECONDS = 0.25


class _Watchdog:
    """One thread of a process that looks at all the calls under way."""

    def __init__(self) -> None:
        self._until: dict[AnsweredConnection, float] = {}
        # A call does not end, and its socket is nobody else's, while it is being ended.
        self._ending = Lock()
        self._thread: Thread | None = None

    def begin(self, conn: AnsweredConnection) -> None:
        # After a fork there is none, though it was started.
        if self._thread is None or not self._thread.is_alive():
            self._start()
        self._until[conn] = monotonic() + conn.patience_seconds

    def end(self, conn: AnsweredConnection) -> None:
        with self._ending:
            del self._until[conn]

    def _start(self) -> None:
        with self._ending:
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._look, name="watchdog", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        while True:
            sleep(LOOK_EVERY_SECONDS)
            now = monotonic()
            for conn, until in self._until.copy().items():
                if now > until:
                    self._give_up(conn, now)

    def _give_up(self, conn: AnsweredConnection, now: float) -> None:
        with self._ending:
            # It may have ended meanwhile, and another may have begun.
            if now > self._until.get(conn, now):
                conn.fell_silent = True
                hang_up(conn)


_WATCHDOG = _Watchdog()


class watched:  # noqa: N801  # a context manager, which reads as what it does
    """Lets the block, one call of libpq, take as long as the connection is patient.

    Raises ServerSilent when it took longer; the connection is closed then.
    """

    __slots__ = ("_conn",)

    def __init__(self, conn: AnsweredConnection) -> None:
        self._conn = conn

    def __enter__(self) -> None:
        """Begin to watch."""
        _WATCHDOG.begin(self._conn)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Look no more."""
        _WATCHDOG.end(self._conn)
        if self._conn.fell_silent:
            self._conn.close()
            raise ServerSilent("the server says nothing") from error
