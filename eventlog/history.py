"""Stored events with their positions: those of one stream, and those of several."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from eventsourcing.persistence import Notification

from eventlog.pool import Connection
from eventlog.statements import notification

_OF_STREAM: LiteralString = """
select position, stream_id, version, topic, state from rollbook.events
where stream_id = %s and version <= %s order by version
"""

_OF_STREAMS: LiteralString = """
select e.position, e.stream_id, e.version, e.topic, e.state
from unnest(%s::uuid[], %s::integer[]) as wanted (stream_id, version)
join rollbook.events e on e.stream_id = wanted.stream_id and e.version <= wanted.version
order by e.position
"""

_LAST: LiteralString = "select max(position) from rollbook.events where position <= %s"

_LAST_RECORDED: LiteralString = """
select max(position) from rollbook.events where (state->>'recorded_at')::timestamptz <= %s
"""

_MAX_VERSION = 2**31 - 1


def events_of(
    conn: Connection, stream_id: UUID, up_to_version: int = _MAX_VERSION
) -> list[Notification]:
    """The events of a stream in order, up to a version where one is given."""
    rows = conn.execute(_OF_STREAM, (stream_id, up_to_version), prepare=True, binary=True)
    return [notification(row) for row in rows]


def events_of_streams(conn: Connection, up_to_version: Mapping[UUID, int]) -> list[Notification]:
    """The events of several streams, each up to a version, in order of position."""
    streams, versions = list(up_to_version), list(up_to_version.values())
    rows = conn.execute(_OF_STREAMS, (streams, versions), prepare=True, binary=True)
    return [notification(row) for row in rows]


def last_position(conn: Connection, up_to: int) -> int | None:
    """The position of the last event up to a position; None when there is none."""
    row = conn.execute(_LAST, (up_to,)).fetchone()
    return row[0] if row else None


def last_recorded(conn: Connection, by: datetime) -> int | None:
    """The position of the last event recorded at or before a time; None when there is none.

    It looks at the whole log.
    """
    row = conn.execute(_LAST_RECORDED, (by,)).fetchone()
    return row[0] if row else None
