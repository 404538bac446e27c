"""Aggregates' states at some version, so that long streams need not be read from their start.

A cache: without it everything is the same, only slower.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, LiteralString, Protocol
from uuid import UUID

from eventsourcing.persistence import MapperDeserialisationError, StoredEvent

from eventlog.codec import EventCodec
from eventlog.failures import translating
from eventlog.pool import Connection

_PUT: LiteralString = """
insert into rollbook.snapshots as kept (stream_id, version, topic, state) values (%s, %s, %s, %s)
on conflict (stream_id) do update
set version = excluded.version, topic = excluded.topic, state = excluded.state
where kept.version < excluded.version or kept.topic <> excluded.topic
"""

_GET: LiteralString = "select version, topic, state from rollbook.snapshots where stream_id = %s"

# The index events_milestones is for this.
_GROWN: LiteralString = """
select stream_id, max(position) from rollbook.events as grown
where version %% 25 = 0 and position > %(after)s and topic = any(%(topics)s)
    and not exists (
        select from rollbook.snapshots as kept
        where kept.stream_id = grown.stream_id and kept.version >= grown.version
            and kept.topic = %(topic)s
    )
group by stream_id order by max(position) limit %(limit)s
"""

logger = logging.getLogger(__name__)


class Connections(Protocol):
    """Lends connections, such as a recorder does."""

    def connection(self) -> AbstractContextManager[Connection]:
        """One connection."""


class Snapshots:
    """The newest snapshot of each stream, stored by the codec as events are."""

    def __init__(self, connections: Connections, codec: EventCodec) -> None:
        self._connections = connections
        self._codec = codec

    def get(self, stream_id: UUID) -> Any | None:
        """The stream's snapshot; None when there is none, or none that can be read."""
        with translating(), self._connections.connection() as conn:
            row = conn.execute(_GET, (stream_id,), prepare=True, binary=True).fetchone()
        if row is None:
            return None
        try:
            return self._codec.to_domain_event(StoredEvent(stream_id, *row))
        except MapperDeserialisationError as error:
            # Of another version of the program, as a rule. A newer one will take its place.
            logger.debug("snapshot of stream %s is not used: %s", stream_id, error)
            return None

    def put(self, snapshot: Any) -> None:
        """Keeps a snapshot, unless one of a later version is kept already."""
        stored = self._codec.to_stored_event(snapshot)
        values = (stored.originator_id, stored.originator_version, stored.topic)
        with translating(), self._connections.connection() as conn:
            conn.execute(_PUT, (*values, stored.state.decode()))

    def delete_all(self) -> None:
        """Forgets every snapshot."""
        with translating(), self._connections.connection() as conn:
            conn.execute("truncate rollbook.snapshots")

    def wanted(
        self, topics: Sequence[str], snapshot_topic: str, after: int, limit: int
    ) -> list[tuple[UUID, int]]:
        """The streams with events of ``topics`` that have grown by 25 since their snapshot.

        Each with the position at which it did, in that order, behind the position ``after``.
        """
        values = {"topics": list(topics), "topic": snapshot_topic, "after": after, "limit": limit}
        with translating(), self._connections.connection() as conn:
            return conn.execute(_GROWN, values).fetchall()
