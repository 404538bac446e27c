"""What the log has gone on with lately, for those who keep what they showed of a little of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

from eventlog.fetching import fetch
from eventlog.pool import Pool, borrowed
from projections.program_listing import PLACES

MOST_AT_ONCE = 2_000
"""Positions that are looked at to catch up; whoever was away for longer begins anew."""
MOST_TOPICS = 50_000

_EVENTS = """
SELECT position, stream_id::text, topic, state ->> 'program_id', state ->> 'employee_id'
FROM rollbook.events WHERE position > %s AND position <= %s
"""
_OF_PLACES = frozenset(kind.TOPIC for kind in PLACES)

Topic = str
"""What events are about, by the ids that they name."""

OF_PROGRAMS: Topic = "programs"
"""The topic of the events of all programs, but for those that give or free places."""


def of_stream(stream_id: UUID) -> Topic:
    """Return the topic of the events of a stream."""
    return str(stream_id)


def of_enrollments_in(program_id: UUID | str) -> Topic:
    """Return the topic of the events of all enrollments in a program."""
    return f"in {program_id}"


def of_employee(employee_id: str) -> Topic:
    """Return the topic of the events that name an employee."""
    return f"about {employee_id}"


@dataclass(slots=True)
class _Known:
    """The last position of each topic between two positions; of others there is none."""

    begin: int
    end: int
    last: dict[Topic, int] = field(default_factory=dict)


class RecentEvents:
    """The topics of the events that were recorded since this process first asked."""

    def __init__(self) -> None:
        self._known = _Known(0, 0)
        self._lock = Lock()

    def are_about(
        self,
        pool: Pool,
        topics: Collection[Topic],
        after: int,
        until: int,
        patience_seconds: float,
    ) -> bool:
        """Return whether an event of one of the topics came after a position, up to another.

        Read tables have reached `until`, so that nothing can come before it any more. Return True
        where it is not known. Waits so long for a connection, and for others who look meanwhile;
        raises what `borrowed` raises.
        """
        if not self._lock.acquire(timeout=patience_seconds):
            return True
        try:
            if until > self._known.end:
                self._follow(pool, after, until, patience_seconds)
            known = self._known
            return after < known.begin or any(known.last.get(t, 0) > after for t in topics)
        finally:
            self._lock.release()

    def _follow(self, pool: Pool, after: int, until: int, patience_seconds: float) -> None:
        known = self._known
        if until - known.end > MOST_AT_ONCE or len(known.last) > MOST_TOPICS:
            begin = after if until - after <= MOST_AT_ONCE else until
            known = _Known(begin, begin)
        with borrowed(pool, patience_seconds) as conn:
            found = fetch(conn, _EVENTS, (known.end, until))
        for position, *event in sorted(found, key=lambda row: row[0]):
            for topic in _topics(*event):
                known.last[topic] = position
        known.end = until
        self._known = known


def _topics(stream: str, kind: str, program: str | None, employee: str | None) -> Iterator[Topic]:
    yield stream
    if program is not None:
        yield of_enrollments_in(program)
    if employee is not None:
        yield of_employee(employee)
    if kind.startswith("program.") and kind not in _OF_PLACES:
        yield OF_PROGRAMS
