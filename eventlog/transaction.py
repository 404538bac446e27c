"""One database transaction of one command: locks, reads and inserts that hold together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from time import monotonic, sleep
from typing import TypeVar
from uuid import UUID

import psycopg
from eventsourcing.persistence import InternalError, OperationalError, StoredEvent
from psycopg.pq import TransactionStatus

from eventlog.append import RESOLVE_SECONDS
from eventlog.errors import OutcomeUnknownError
from eventlog.insertion import MAX_EVENTS, insert
from eventlog.pool import Connection, ConnectionLost, Pool, borrowed, is_lost
from eventlog.silence import AnsweredConnection, ServerSilent, at_most
from eventlog.statements import positions_of

R = TypeVar("R")

_KEY_BYTES = 8
_PAUSE_SECONDS = 0.05


def lock_number(key: UUID) -> int:
    """The 64-bit number that stands for a key among advisory locks.

    Two keys with one number would only wait for each other without need.
    """
    digest = blake2b(key.bytes, digest_size=_KEY_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)


class Transaction:
    """A transaction that begins with its first statement, on a connection borrowed until its end.

    Errors are psycopg's; after one of them it can only be rolled back.
    """

    def __init__(self, pool: Pool, resolve_seconds: float = RESOLVE_SECONDS) -> None:
        self._pool = pool
        self._resolve_seconds = resolve_seconds
        self._conn: AnsweredConnection | None = None
        self.inserted: list[StoredEvent] = []

    def run(self, work: Callable[[Connection], R]) -> R:
        """What ``work`` returns on the transaction's connection."""
        return work(self._conn or self._begin("begin"))

    def insert(self, events: Sequence[StoredEvent]) -> list[int]:
        """Stores the events, to be seen by others after the commit; returns their positions."""
        positions = self.run(
            lambda conn: [
                position
                for start in range(0, len(events), MAX_EVENTS)
                for position in insert(conn, events[start : start + MAX_EVENTS])
            ]
        )
        self.inserted.extend(events)
        return positions

    def lock(self, key: UUID, *, shared: bool) -> None:
        """Waits for the key's lock and holds it until the transaction ends."""
        function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        statement = f"select {function}({lock_number(key)})"
        if self._conn is None:
            # One message, so one round trip.
            self._begin(f"begin; {statement}")
        else:
            self._conn.execute(statement.encode())

    def commit(self) -> None:
        """Makes the inserts last. Raises InternalError when an earlier error had undone them.

        When the connection is lost meanwhile, the log is asked whether they were stored:
        OperationalError when not, OutcomeUnknownError when the database does not answer.
        """
        if self._conn is None:
            return
        deadline = monotonic() + self._resolve_seconds
        try:
            outcome = self._conn.execute("commit").statusmessage
        except psycopg.Error as error:
            if not is_lost(self._conn, error):
                raise
            self._give_back()
            self._settle(error, deadline)
            return
        if outcome != "COMMIT":
            raise InternalError("Nothing was stored, for a statement of the transaction had failed")

    def end(self) -> None:
        """Rolls back what was not committed, and gives the connection back."""
        if self._conn is None:
            return
        if self._conn.info.transaction_status != TransactionStatus.IDLE:
            try:
                self._conn.execute("rollback")
            except psycopg.Error:
                # The server rolls back what a closed connection leaves behind.
                self._conn.close()
        self._give_back()

    def _settle(self, lost: psycopg.Error, deadline: float) -> None:
        """Returns when the inserted events are in the log although COMMIT was not answered."""
        while monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                if self.inserted and _are_stored(self._pool, self.inserted, deadline):
                    return
                raise OperationalError(
                    "Connection lost before the commit, nothing stored"
                ) from lost
            sleep(_PAUSE_SECONDS)
        raise OutcomeUnknownError from lost

    def _begin(self, statement: str) -> Connection:
        # Connections may have gone stale while they lay in the pool, all of them at worst.
        for _ in range(self._pool.max_size):
            with suppress(ConnectionLost):
                return self._begin_on(self._pool.getconn(), statement)
        return self._begin_on(self._pool.getconn(), statement)

    def _begin_on(self, conn: AnsweredConnection, statement: str) -> Connection:
        self._conn = conn
        try:
            conn.execute(statement.encode())
        except psycopg.Error as error:
            if not is_lost(conn, error):
                raise
            self._give_back()
            if isinstance(error, ServerSilent):
                raise
            raise ConnectionLost from error
        return conn

    def _give_back(self) -> None:
        if self._conn is not None:
            conn, self._conn = self._conn, None
            if conn.info.transaction_status != TransactionStatus.IDLE:
                conn.close()
            self._pool.putconn(conn)


def _are_stored(pool: Pool, inserted: Sequence[StoredEvent], deadline: float) -> bool:
    with borrowed(pool) as conn, at_most(conn, deadline - monotonic()):
        # The lost transaction holds its versions until it has ended. An insert of one of them waits
        # for that, so what is seen then is its outcome and not a moment before it.
        with suppress(psycopg.errors.UniqueViolation), conn.transaction(force_rollback=True):
            insert(conn, inserted[:1])
        return positions_of(conn, inserted) is not None
