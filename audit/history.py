"""Histories: events in order, each with what it changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from eventsourcing.persistence import MapperDeserialisationError, Notification

from audit.changes import Change, Fold
from domain.aggregate import Event
from eventlog.codec import EventCodec
from eventlog.history import events_of
from eventlog.pool import Connection
from eventlog.sealing import Keys
from projections.as_of import Moment


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a history.

    Attributes:
        stored: the event as it stands in the log, with its position as `id`.
        event: what it says; None when this version cannot read it.
        changes: what it changed.
    """

    stored: Notification
    event: Event | None
    changes: Sequence[Change]


def history_of(conn: Connection, codec: EventCodec, stream_id: UUID) -> Iterator[Step]:
    """Yield every event of a stream in order."""
    return steps(conn, codec, events_of(conn, stream_id))


def steps(
    conn: Connection,
    codec: EventCodec,
    stored: Sequence[Notification],
    moment: Moment | None = None,
) -> Iterator[Step]:
    """Yield the events with what they changed; each stream must be given from its beginning.

    With a moment, those that had not taken effect or were not known then are left out.
    """
    fold, keys = Fold(), codec.keys_to_read(conn, [one.state for one in stored])
    for one in stored:
        event = _read(codec, one, keys)
        if event is None or moment is None or moment.holds(event):
            yield Step(one, event, [] if event is None else fold.apply(event))


def _read(codec: EventCodec, stored: Notification, keys: Keys) -> Event | None:
    try:
        event: Any = codec.to_domain_event(stored, keys)
    except MapperDeserialisationError:
        return None
    return event  # type: ignore[no-any-return]  # the log holds our events alone
