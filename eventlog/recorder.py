"""The log as the library's application recorder: no lock that writers of other streams share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import TypeVar
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    NotSupportedError,
    ProgrammingError,
    StoredEvent,
    Subscription,
)

from eventlog import statements
from eventlog.append import RESOLVE_SECONDS, append
from eventlog.facts import Fact
from eventlog.failures import conflict, translated, translating
from eventlog.many_streams import read_streams
from eventlog.pool import Connection, ConnectionLost, Pool, borrowed
from eventlog.reader import LogReader
from eventlog.transaction import Transaction

R = TypeVar("R")

_PAGE = 500


def _silent() -> None:
    """Wakes nobody."""


class PostgresRecorder(ApplicationRecorder):
    """Stores events in PostgreSQL and reads them back.

    ``pool`` comes from ``open_pool``. ``facts`` are those that ``migrate`` was given; ``find``
    knows only these. ``on_append`` is called after each commit that stored events; it must
    neither block nor raise. ``resolve_seconds`` is how long the database is asked, after a
    connection broke, whether it had stored what was under way.

    Errors are the library's: IntegrityError when a version or a unique fact is taken (as
    VersionConflictError, FactConflictError), LockTimeoutError, OutcomeUnknownError and the like.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        facts: Sequence[Fact] = (),
        on_append: Callable[[], None] = _silent,
        resolve_seconds: float = RESOLVE_SECONDS,
    ) -> None:
        self._pool = pool
        self._resolve_seconds = resolve_seconds
        self._facts = {fact.index: fact for fact in facts}
        self._finds = {(fact.topic, fact.field): fact.find_statement() for fact in facts}
        self._on_append = on_append
        self._open: ContextVar[Transaction | None] = ContextVar("transaction", default=None)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: object) -> list[int]:
        """Stores all the events or none, in one statement; returns their positions in order.

        Outside of ``transaction`` they are committed on return, and when the connection is lost
        meanwhile, the log is asked whether they were.
        """
        if not stored_events:
            return []
        transaction = self._open.get()
        try:
            if transaction is not None:
                return transaction.insert(stored_events)
            positions = append(self._pool, stored_events, self._resolve_seconds)
        except psycopg.errors.UniqueViolation as error:
            raise conflict(error, self._facts, stored_events) from error
        except psycopg.Error as error:
            raise translated(error) from error
        self._on_append()
        return positions

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        """The stream's events with versions above ``gt`` and up to ``lte``, in order of version."""
        stream_id = originator_id if isinstance(originator_id, UUID) else UUID(originator_id)
        return self._read(
            lambda conn: statements.select_stream(conn, stream_id, gt, lte, limit, desc=desc)
        )

    def select_streams(self, stream_ids: Sequence[UUID]) -> dict[UUID, list[StoredEvent]]:
        """The events of each of the streams in order of version, all in one question."""
        return self._read(lambda conn: read_streams(conn, stream_ids))

    def find(self, topic: str, field: str, value: str, limit: int | None = None) -> list[UUID]:
        """The streams with an event of this topic and value, each once, in order of position.

        Raises ProgrammingError when the topic's field is not a declared fact, and so has no index.
        """
        statement = self._finds.get((topic, field))
        if statement is None:
            raise ProgrammingError(f"{field} of {topic!r} is not declared as a fact")
        rows = self._read(lambda conn: conn.execute(statement, (value, limit)).fetchall())
        return list(dict.fromkeys(stream_id for (stream_id,) in rows))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What this thread locks, reads and inserts in the block holds together or not at all.

        Committed at the end, rolled back when the block raises. A block inside of another joins it.
        """
        if self._open.get() is not None:
            yield
            return
        transaction = Transaction(self._pool, self._resolve_seconds)
        token = self._open.set(transaction)
        try:
            yield
            with translating():
                transaction.commit()
        finally:
            self._open.reset(token)
            transaction.end()
        if transaction.inserted:
            self._on_append()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """That of this thread's transaction, or else one of the pool.

        Who asks another table within a transaction needs no second connection so: many who hold
        one and wait for one more would wait for each other.
        """
        transaction = self._open.get()
        if transaction is not None:
            yield transaction.run(lambda conn: conn)
            return
        with borrowed(self._pool) as conn:
            yield conn

    def lock(self, key: UUID, *, shared: bool) -> None:
        """Waits its turn for the key's lock and holds it until the transaction ends.

        Shared holders go together, an exclusive one goes alone; the order is that of arrival.
        Raises LockTimeoutError after the connection's lock_timeout, ProgrammingError outside of
        ``transaction``.
        """
        transaction = self._open.get()
        if transaction is None:
            raise ProgrammingError("A lock needs a transaction to hold it")
        with translating():
            transaction.lock(key, shared=shared)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[Notification]:
        """The settled events from ``start`` to ``stop`` in order, at most ``limit``.

        Those behind a number that may still be committed are left for a later call.
        """
        if self._open.get() is not None:
            raise ProgrammingError(
                "A transaction cannot wait for itself: read the log outside of it"
            )
        after = (start or 0) - (1 if inclusive_of_start and start else 0)
        with translating(), borrowed(self._pool) as conn:
            wanted = (
                event
                for event in _settled(LogReader(conn, after), stop)
                if not topics or event.topic in topics
            )
            return list(islice(wanted, limit))

    def max_notification_id(self) -> int | None:
        """The highest committed position; lower ones may still be in the making."""
        return self._read(statements.max_position)

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Not offered: follow the log with a LogReader, and wait for more with an Ear.

        Raises NotSupportedError.
        """
        raise NotSupportedError(
            f"No subscription after {gt} to {topics or 'all topics'}: follow the log with LogReader"
        )

    def _read(self, work: Callable[[Connection], R]) -> R:
        transaction = self._open.get()
        with translating():
            if transaction is not None:
                return transaction.run(work)
            for _ in range(self._pool.max_size):
                try:
                    with borrowed(self._pool) as conn:
                        return work(conn)
                except ConnectionLost:
                    # To read again is safe, and the next connection may be a fresh one.
                    continue
            with borrowed(self._pool) as conn:
                return work(conn)


def _settled(reader: LogReader, stop: int | None) -> Iterator[Notification]:
    while events := reader.read(_PAGE):
        for event in events:
            if stop is not None and event.id > stop:
                return
            yield event
