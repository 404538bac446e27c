"""No call waits for ever for a server that says nothing.

The server itself ends what takes longer than its `statement_timeout`. One that has not even said
so a little later is stopped, or something between it and us swallows what is sent; TCP does not
notice either.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, LiteralString

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.errors import Diagnostic
from psycopg.pq.abc import PGresult

OPENING_SECONDS = 5.0
"""How long the server may be silent while a connection is opened."""
MARGIN_SECONDS = 2.0
"""How much longer a call waits than the server lets a statement run."""
ASK_EVERY_SECONDS = 60.0
"""How often a server that sets no limit is asked whether it is still at it."""

_GLANCE_MS = 100
_ENDINGS = {"FATAL", "PANIC"}

_LIMIT: LiteralString = (
    "select extract(epoch from current_setting('statement_timeout')::interval)::float8"
)
_IS_AT_IT: LiteralString = (
    "select exists (select from pg_stat_activity where pid = %s and state = 'active')"
)


class ServerSilent(psycopg.OperationalError):
    """The server said nothing for too long, and the connection was closed.

    What it was asked for may or may not have taken effect.
    """


class AnsweredConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection on which each call ends: with an answer, an error, or ServerSilent.

    Attributes:
        patience_seconds: how long a call waits.
        is_unlimited: whether the server is then asked, over another connection, if it is still at
            the statement, for which it sets itself no limit.
        fell_silent: whether a call ended with ServerSilent.
        said_goodbye: whether the server said, while it was asked nothing, that it ends this.

    """

    patience_seconds = OPENING_SECONDS
    is_unlimited = False
    fell_silent = False
    said_goodbye = False
    _opened_by: tuple[str, dict[str, Any]] = ("", {})

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> AnsweredConnection:
        """Connect as psycopg does."""
        conn: AnsweredConnection = super().connect(conninfo, **options)
        conn._opened_by = (conninfo, options)
        conn.add_notice_handler(conn._heed)
        return conn

    def _heed(self, notice: Diagnostic) -> None:
        self.said_goodbye = self.said_goodbye or notice.severity_nonlocalized in _ENDINGS

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Run a call of psycopg's to its end. Raises ServerSilent when no other limit is given."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        while True:
            try:
                return super().wait(gen, interval, self.patience_seconds)
            except psycopg.errors._WaitTimeout:  # noqa: SLF001  # it says so in the documentation of `wait`
                self.go_on_or_give_up()

    def go_on_or_give_up(self) -> None:
        """Return when it is right to wait on, after the patience has ended. Raises ServerSilent."""
        if self.is_unlimited and self._is_at_it():
            return
        self.fell_silent = True
        self.close()
        raise ServerSilent("the server says nothing")

    def _is_at_it(self) -> bool:
        conninfo, options = self._opened_by
        try:
            with AnsweredConnection.connect(conninfo, **options) as other:
                return other.execute(_IS_AT_IT, (self.info.backend_pid,)).fetchone() == (True,)
        except psycopg.Error:
            return False


def wait_as_long_as_the_server(conn: psycopg.Connection[Any]) -> None:
    """Let calls wait a little longer than the server now lets a statement run."""
    if isinstance(conn, AnsweredConnection):
        row = conn.execute(_LIMIT).fetchone()
        limit = row[0] if row else 0.0
        conn.is_unlimited = limit == 0
        conn.patience_seconds = limit + MARGIN_SECONDS if limit else ASK_EVERY_SECONDS


@contextmanager
def at_most(conn: psycopg.Connection[Any], seconds: float) -> Iterator[None]:
    """Let each call of the block wait so long, a second at least, if not even shorter."""
    if not isinstance(conn, AnsweredConnection):
        yield
        return
    usual = conn.patience_seconds
    conn.patience_seconds = min(usual, max(seconds, 1.0))
    try:
        yield
    finally:
        conn.patience_seconds = usual


def result_of(conn: psycopg.Connection[Any]) -> PGresult:
    """Return the result of the one command that was sent through libpq.

    Raises ServerSilent, and psycopg.OperationalError when the connection is gone.
    """
    until, result = _sent(conn), None
    while True:
        following, until = _following(conn, until)
        if following is None:
            break
        result = following
    if result is None:
        raise psycopg.OperationalError("there is no answer, as nothing was asked")
    return result


def _sent(conn: psycopg.Connection[Any]) -> float:
    """Send what libpq still holds, and return until when to wait for an answer."""
    until = _end_of_patience(conn)
    while conn.pgconn.flush():
        until = await_socket(conn, select.POLLIN | select.POLLOUT, until)
        conn.pgconn.consume_input()
    return until


def _following(conn: psycopg.Connection[Any], until: float) -> tuple[PGresult | None, float]:
    """Return the next result, None behind the last of a command, and until when to wait."""
    while conn.pgconn.is_busy():
        until = await_socket(conn, select.POLLIN, until)
        conn.pgconn.consume_input()
    return conn.pgconn.get_result(), until


def await_socket(conn: psycopg.Connection[Any], events: int, until: float) -> float:
    """Wait a moment for the events of `poll`; return until when to wait for them in all.

    Raises ServerSilent when that has passed.
    """
    socket_of = select.poll()
    socket_of.register(conn.pgconn.socket, events)
    # libpq may hold what it has decrypted already, and the socket does not tell.
    if socket_of.poll(_GLANCE_MS) or monotonic() < until:
        return until
    if isinstance(conn, AnsweredConnection):
        conn.go_on_or_give_up()
    return _end_of_patience(conn)


def hang_up(conn: psycopg.Connection[Any]) -> None:
    """End the call that another thread has under way on the connection."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(conn.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _end_of_patience(conn: psycopg.Connection[Any]) -> float:
    seconds = conn.patience_seconds if isinstance(conn, AnsweredConnection) else OPENING_SECONDS
    return monotonic() + seconds
