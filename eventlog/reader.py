"""The log in one order, for readers that keep up with it: nothing missed, nothing twice.

What is settled is decided in ``order``; this asks the database and waits.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, itemgetter
from time import monotonic, sleep
from typing import Any, Generic, TypeVar

import psycopg
from eventsourcing.persistence import Notification, ProgrammingError

from eventlog import statements
from eventlog.failures import translating
from eventlog.order import Order
from eventlog.pool import Cursor, load_json_as_bytes
from eventlog.statements import LogRow
from eventlog.writers import observe

_FIRST_PAUSE_SECONDS = 0.0005
_LONGEST_PAUSE_SECONDS = 0.01


Event = TypeVar("Event")


class SettledReader(Generic[Event]):
    """Reads the settled events behind ``after`` in order of position, each exactly once.

    Settled means that no event with a lower position can appear any more. ``select`` reads the
    next events behind a position, at most so many, in whatever form; ``position_of`` tells where
    one stands. ``conn`` must be in autocommit mode, so that each statement sees what was committed
    before it, and on the primary. After an error, go on with a new reader from ``position``.

    Raises ProgrammingError for a connection that is not in autocommit mode.
    """

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        after: int,
        select: Callable[[Cursor, int, int], list[Event]],
        position_of: Callable[[Event], int],
    ) -> None:
        if not conn.autocommit:
            raise ProgrammingError("A reader of the log needs a connection in autocommit mode")
        self._cursor = conn.cursor(binary=True)
        load_json_as_bytes(self._cursor)
        self._select = select
        self._position_of = position_of
        self._order = Order(position=after, settled_to=after)

    @property
    def position(self) -> int:
        """The position of the last event that was delivered."""
        return self._order.position

    @property
    def waiting(self) -> bool:
        """Whether more events are there already, behind one that may still be committed."""
        return self._order.gap is not None

    def read(self, limit: int, wait_seconds: float = 0.05) -> list[Event]:
        """The next settled events, at most ``limit``; empty when there are none now.

        Where a number is missing and its writer is still at work, it waits for the writer, for at
        most ``wait_seconds``; after that it answers with an empty list and goes on waiting in the
        next call. It never passes over a number of which the fate is open.

        Raises NotPrimaryError on a standby, OperationalError when the connection is lost.
        """
        deadline = monotonic() + wait_seconds
        pause = _FIRST_PAUSE_SECONDS
        with translating():
            while (events := self._read_settled(limit)) is None:
                if monotonic() >= deadline:
                    return []
                sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return events

    def _read_settled(self, limit: int) -> list[Event] | None:
        """The next settled events; None when the very next one waits for a writer."""
        if self._order.gap is not None:
            self._order = self._order.looked(observe(self._cursor))
        events = self._select(self._cursor, self._order.position, limit)
        count = self._order.settled([self._position_of(event) for event in events])
        if count < len(events) and self._order.gap is None:
            self._order = self._order.looked(observe(self._cursor))
        if count:
            self._order = self._order.delivered(self._position_of(events[count - 1]))
        elif events:
            # When nobody holds the lock, all that was seen is settled by now, and more with it.
            return None if self.waiting else self._read_settled(limit)
        return events[:count]


class LogReader(SettledReader[Notification]):
    """Reads the settled events behind ``after`` as notifications."""

    def __init__(self, conn: psycopg.Connection[Any], after: int = 0) -> None:
        super().__init__(conn, after, statements.select_log, attrgetter("id"))


class RowReader(SettledReader[LogRow]):
    """Reads the settled events behind ``after`` as the rows that they stand in."""

    def __init__(self, conn: psycopg.Connection[Any], after: int = 0) -> None:
        super().__init__(conn, after, statements.select_rows, itemgetter(0))
