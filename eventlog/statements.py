"""The SQL by which events are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from eventlog.pool import Connection, Cursor, kept_cursor
from eventlog.values import to_instance

_SELECT_STREAM: LiteralString = """
select version, topic, state from rollbook.events
where stream_id = %s and version > %s and version <= %s
order by version limit %s::bigint
"""

_SELECT_STREAM_BACKWARDS: LiteralString = """
select version, topic, state from rollbook.events
where stream_id = %s and version > %s and version <= %s
order by version desc limit %s::bigint
"""

_SELECT_EXACT: LiteralString = """
select position from rollbook.events
where stream_id = %s and version = %s and topic = %s and state::text = %s
"""

_SELECT_LOG: LiteralString = """
select position, stream_id, version, topic, state from rollbook.events
where position > %s order by position limit %s
"""

LogRow = tuple[int | None, UUID, int, str, bytes]
"""Position, stream, version, topic and JSON of an event; no position where it is not known."""

_MAX_VERSION = 2**31 - 1


def positions_of(conn: Connection, events: Sequence[StoredEvent]) -> list[int] | None:
    """The positions at which exactly these events stand; None when any of them does not."""
    positions = []
    for e in events:
        values = (e.originator_id, e.originator_version, e.topic, e.state.decode())
        row = conn.execute(_SELECT_EXACT, values).fetchone()
        if row is None:
            return None
        positions.append(row[0])
    return positions


def select_stream(
    conn: Connection,
    stream_id: UUID,
    gt: int | None,
    lte: int | None,
    limit: int | None,
    *,
    desc: bool,
) -> list[StoredEvent]:
    """A stream's events in order of version."""
    statement = _SELECT_STREAM_BACKWARDS if desc else _SELECT_STREAM
    bounds = (-1 if gt is None else gt, _MAX_VERSION if lte is None else lte)
    cursor = kept_cursor(conn)
    cursor.execute(statement, (stream_id, *bounds, limit), prepare=True, binary=True)
    return [
        to_instance(
            StoredEvent,
            {
                "originator_id": stream_id,
                "originator_version": version,
                "topic": topic,
                "state": state,
            },
        )
        for version, topic, state in cursor.fetchall()
    ]


def select_rows(cursor: Cursor, after: int, limit: int) -> list[LogRow]:
    """The committed events behind a position, in order; numbers may be missing among them."""
    cursor.execute(_SELECT_LOG, (after, limit), prepare=True)
    return cursor.fetchall()


def select_log(cursor: Cursor, after: int, limit: int) -> list[Notification]:
    """The same as notifications."""
    return [notification(row) for row in select_rows(cursor, after, limit)]


def max_position(conn: Connection) -> int | None:
    """The highest committed position, None for an empty log."""
    row = conn.execute("select max(position) from rollbook.events").fetchone()
    return row[0] if row else None


def notification(row: LogRow) -> Notification:
    """The event of a row: position, stream, version, topic, state."""
    position, stream_id, version, topic, state = row
    return to_instance(
        Notification,
        {
            "id": position,
            "originator_id": stream_id,
            "originator_version": version,
            "topic": topic,
            "state": state,
        },
    )
