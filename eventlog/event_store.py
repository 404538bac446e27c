"""Events of aggregates, put and got, with the text in them sealed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import EventStore, Notification, Recording, StoredEvent

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from eventlog.sealing import person_of


class Recorder(Protocol):
    """What stores events, and lends the connection by which it would."""

    def insert_events(self, stored_events: Sequence[StoredEvent], /) -> Sequence[int]:
        """Stores all the events or none; returns their positions."""

    def select_events(self, originator_id: UUID, /) -> Sequence[StoredEvent]:
        """A stream's events."""

    def connection(self) -> AbstractContextManager[Connection]:
        """That of the open transaction, or else any."""


class SealingEventStore(EventStore[UUID]):
    """Seals the text of events with the keys of the persons that it concerns.

    ``get`` leaves the text sealed, since aggregates decide without it; ``read`` opens it.
    """

    mapper: EventCodec
    recorder: Recorder  # type: ignore[assignment]  # the part of it that is used

    def __init__(self, mapper: EventCodec, recorder: Recorder) -> None:
        super().__init__(mapper, recorder)  # type: ignore[arg-type]

    def put(
        self, domain_events: Sequence[DomainEventProtocol[UUID]], **_: object
    ) -> list[Recording[UUID]]:
        """Stores all the events or none, together with keys that are made for them.

        Raises NoKeyError for text about a person who was erased, and as the recorder does.
        """
        # The bytes are made once: an append that is tried again after a lost connection is
        # recognised by them.
        stored_events = self._sealed(domain_events)
        positions = self.recorder.insert_events(stored_events)
        return [
            Recording(event, Notification(**vars(stored), id=position))
            for event, stored, position in zip(domain_events, stored_events, positions, strict=True)
        ]

    def read(self, stream_id: UUID) -> Sequence[DomainEventProtocol[UUID]]:
        """The events of a stream in order of version, with their text."""
        return self.opened(self.recorder.select_events(stream_id))

    def opened(self, stored_events: Sequence[StoredEvent]) -> list[DomainEventProtocol[UUID]]:
        """The events with their text; ERASED where it is."""
        with self.recorder.connection() as conn:
            keys = self.mapper.keys_to_read(conn, [event.state for event in stored_events])
        return [self.mapper.to_domain_event(event, keys) for event in stored_events]

    def _sealed(self, events: Sequence[DomainEventProtocol[UUID]]) -> list[StoredEvent]:
        if not any(map(person_of, events)):
            return list(map(self.mapper.to_stored_event, events))
        with self.recorder.connection() as conn:
            keys = self.mapper.keys_to_store(conn, events)
        return [self.mapper.to_stored_event(event, keys) for event in events]
