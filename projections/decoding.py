"""Stored events as entries of a batch, decoded once for all tables."""

from __future__ import annotations

from collections.abc import Sequence

from eventsourcing.persistence import MapperDeserialisationError

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from eventlog.statements import LogRow
from projections.fold import Entry, Unreadable


def decoded(codec: EventCodec, conn: Connection, rows: Sequence[LogRow]) -> list[Entry]:
    """Return the events with their positions; an `Unreadable` for each that cannot be decoded."""
    decode, keys = codec.decode, codec.keys_to_read(conn, [row[4] for row in rows])
    entries: list[Entry] = []
    for row in rows:
        try:
            entries.append((row[0], decode(row, keys)))  # type: ignore[arg-type]  # in the log, it has a position
        except MapperDeserialisationError as error:
            entries.append((row[0], Unreadable(row[1], error)))  # type: ignore[arg-type]
    return entries
