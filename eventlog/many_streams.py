"""Many streams in one question, for those who write or read thousands of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from eventlog.pool import Connection

_EXISTING: LiteralString = """
select stream_id from rollbook.events where stream_id = any(%s) and version = 1
"""

_EVENTS: LiteralString = """
select stream_id, version, topic, state from rollbook.events
where stream_id = any(%s) order by stream_id, version
"""


def existing_streams(conn: Connection, stream_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the streams that have any event."""
    rows = conn.execute(_EXISTING, (list(stream_ids),), binary=True).fetchall()
    return {stream_id for (stream_id,) in rows}


def read_streams(conn: Connection, stream_ids: Sequence[UUID]) -> dict[UUID, list[StoredEvent]]:
    """The events of each of the streams in order of version; an empty list where there are none."""
    streams: dict[UUID, list[StoredEvent]] = {stream_id: [] for stream_id in stream_ids}
    for row in conn.execute(_EVENTS, (list(streams),), binary=True).fetchall():
        streams[row[0]].append(StoredEvent(*row))
    return streams
