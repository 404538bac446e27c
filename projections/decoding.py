"""Stored events as entries of a batch, decoded once for all tables."""

from __future__ import annotations

from collections.abc import Sequence

from eventsourcing.persistence import MapperDeserialisationError, Notification

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from projections.fold import Entry, Unreadable


def decoded(codec: EventCodec, conn: Connection, events: Sequence[Notification]) -> list[Entry]:
    """Return the events with their positions; an `Unreadable` for each that cannot be decoded."""
    decode, keys = codec.to_domain_event, codec.keys_to_read(conn, events)
    entries: list[Entry] = []
    for event in events:
        try:
            entries.append((event.id, decode(event, keys)))
        except MapperDeserialisationError as error:
            entries.append((event.id, Unreadable(event.originator_id, error)))  # type: ignore[arg-type]
    return entries
