"""Connections to the log, with the limits that keep one stuck client from holding up all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg
from psycopg.abc import AdaptContext
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import ConnStatus
from psycopg.types.string import ByteaBinaryLoader
from psycopg_pool import ConnectionPool

from eventlog import role
from eventlog.silence import AnsweredConnection, ServerSilent, wait_as_long_as_the_server

Connection = psycopg.Connection[tuple[Any, ...]]
Cursor = psycopg.Cursor[tuple[Any, ...]]
Pool = ConnectionPool[AnsweredConnection]

_SERVER_GONE = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03"})
_CONNECTION_CLASS = "08"

LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 15_000
PATIENCE_SECONDS = 5.0
RECONNECT_SECONDS = 3.0

_OPTIONS = (
    f"-c lock_timeout={LOCK_TIMEOUT_MS}"
    f" -c statement_timeout={STATEMENT_TIMEOUT_MS}"
    # Readers wait at a gap for the transaction that may fill it, so none may idle for long.
    f" -c idle_in_transaction_session_timeout={STATEMENT_TIMEOUT_MS}"
    # Where the server last looked at a table when it was all but empty, its plans would read all of
    # it, and go on to do so while it grows.
    " -c enable_seqscan=off"
    # Up to PostgreSQL 17 what is to be avoided costs so much that each question of a table without
    # an index would be compiled first, which takes a hundred times as long as to answer it.
    " -c jit=off"
)
# Times are told in UTC, whatever the server or the address says.
_IN_UTC = "-c TimeZone=UTC"
# A peer that vanished without a word is noticed within about ten seconds.
_KEEPALIVES = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "connect_timeout": 5,
}


class _JsonAsBytes(Loader):
    def load(self, data: bytes | bytearray | memoryview) -> bytes:
        return bytes(data)


def load_json_as_bytes(context: AdaptContext) -> None:
    """Makes json columns arrive as the exact bytes that were stored, on a connection or cursor."""
    context.adapters.register_loader("json", _JsonAsBytes)
    context.adapters.register_loader("json", ByteaBinaryLoader)


def connection_arguments(conninfo: str) -> dict[str, Any]:
    """Arguments for psycopg.connect: the given address with Rollbook's limits, autocommit on.

    Limits that the address itself sets in its ``options`` hold instead.
    """
    given = conninfo_to_dict(conninfo)
    options = f"{_OPTIONS} {given.pop('options', '')} {_IN_UTC}"
    # Stored text is UTF-8, and a proof is over its bytes.
    return _KEEPALIVES | given | {"options": options, "autocommit": True, "client_encoding": "utf8"}


def open_as_login(conninfo: str) -> Connection:
    """One connection with all the rights of its login. Raises psycopg.OperationalError."""
    conn = AnsweredConnection.connect(**connection_arguments(conninfo))
    load_json_as_bytes(conn)
    wait_as_long_as_the_server(conn)
    return conn


def open_connection(conninfo: str) -> Connection:
    """One connection as the pool has them, which may not change events where a role forbids it.

    Raises psycopg.OperationalError.
    """
    conn = open_as_login(conninfo)
    role.assume(conn)
    return conn


def open_pool(conninfo: str, size: int, patience_seconds: float = PATIENCE_SECONDS) -> Pool:
    """A pool of at most ``size`` connections, opened in the background; the caller closes it.

    Whoever asks for one waits ``patience_seconds`` at most. Connections that the server has closed
    are replaced before anybody gets them.
    """
    return _AttentivePool(
        connection_class=AnsweredConnection,
        kwargs=connection_arguments(conninfo),
        configure=_configure,
        min_size=min(size, 2),
        max_size=size,
        timeout=patience_seconds,
        # Given up early, and begun anew for the next who asks: the pauses in between would grow.
        reconnect_timeout=RECONNECT_SECONDS,
        open=True,
        name="eventlog",
    )


def _configure(conn: Connection) -> None:
    load_json_as_bytes(conn)
    wait_as_long_as_the_server(conn)
    role.assume(conn)


def _has_hung_up(conn: AnsweredConnection) -> bool:
    # An idle connection has nothing to say but its server's goodbye. This asks the kernel alone; a
    # query would cost as much as a read of one row, and `poll` would let go of the interpreter.
    try:
        conn.pgconn.consume_input()
        conn.pgconn.notifies()
    except psycopg.OperationalError:
        return True
    return conn.said_goodbye or conn.pgconn.status == ConnStatus.BAD


class _AttentivePool(ConnectionPool[AnsweredConnection]):
    """Lends no connection that the server has closed, and after a silence new ones alone.

    The pool's own `check` would pause for seconds after each one that fails it, and when the server
    was started again, all do.
    """

    def getconn(self, timeout: float | None = None) -> AnsweredConnection:
        deadline = monotonic() + (self.timeout if timeout is None else timeout)
        while _has_hung_up(conn := super().getconn(deadline - monotonic())):
            conn.close()
            self.putconn(conn)
        return conn

    def putconn(self, conn: AnsweredConnection) -> None:
        """Take a connection back. Where one met silence, the others would each cost a wait."""
        super().putconn(conn)
        if conn.fell_silent:
            self.drain()


def kept_cursor(conn: Connection) -> Cursor:
    """The connection's own cursor, for statements whose rows are fetched before the next one.

    To make a cursor costs the client a quarter of a single append.
    """
    kept: Cursor | None = vars(conn).get("kept_cursor")
    if kept is None:
        kept = vars(conn)["kept_cursor"] = conn.cursor()
    return kept


class ConnectionLost(psycopg.OperationalError):
    """A borrowed connection broke; what it was doing may or may not have taken effect."""


@contextmanager
def borrowed(pool: Pool, patience_seconds: float | None = None) -> Iterator[Connection]:
    """A connection of the pool, within its own patience or this; ConnectionLost when it breaks.

    Raises ServerSilent when it does not answer, psycopg_pool.PoolTimeout when none is to be had.
    """
    conn = pool.getconn(patience_seconds)
    try:
        yield conn
    except ServerSilent:
        # Not to be tried again at once, as with a connection that is merely lost.
        raise
    except psycopg.Error as error:
        if not is_lost(conn, error):
            raise
        conn.close()
        raise ConnectionLost from error
    finally:
        pool.putconn(conn)


def is_lost(conn: Connection, error: psycopg.Error) -> bool:
    """Whether the connection is gone, so that the error does not say what became of a statement."""
    state = error.sqlstate or ""
    return conn.closed or state in _SERVER_GONE or state.startswith(_CONNECTION_CLASS)
