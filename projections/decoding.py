"""Stored events as entries of a batch, decoded once for all tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import MapperDeserialisationError

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from eventlog.statements import LogRow
from projections.fold import Entry
from projections.unreadable import Unreadable


def decoded(codec: EventCodec, conn: Connection, rows: Sequence[LogRow]) -> list[Entry]:
    """Return the events with their positions; an `Unreadable` for each that cannot be decoded.

    The `TOPIC` of each is the one that it is stored under, though that may be written no more.
    """
    decode, keys = codec.decode, codec.keys_to_read(conn, [row[4] for row in rows])
    entries: list[Entry] = []
    for row in rows:
        try:
            event: Any = decode(row, keys)
            if row[3] != event.TOPIC:
                vars(event)["TOPIC"] = row[3]
        except MapperDeserialisationError as error:
            event = Unreadable(row, error)
        entries.append((row[0], event))  # type: ignore[arg-type]  # what is in the log has a position
    return entries
