"""What commands need of the events that are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

    from eventsourcing.domain import DomainEventProtocol
    from eventsourcing.persistence import Mapper, Recording


class StoredEvents(Protocol):
    """The events of all aggregates, by their streams."""

    @property
    def mapper(self) -> Mapper[UUID]:
        """What turns their stored form into events; personal text stays sealed."""

    def get(
        self, originator_id: UUID, *, gt: int | None = None, lte: int | None = None
    ) -> Iterator[DomainEventProtocol[UUID]]:
        """Return the events of a stream with versions above `gt` and up to `lte`.

        Personal text stays sealed.
        """

    def read(self, stream_id: UUID) -> Iterable[DomainEventProtocol[UUID]]:
        """Return all events of a stream, with their personal text."""

    def put(self, domain_events: Sequence[DomainEventProtocol[UUID]]) -> list[Recording[UUID]]:
        """Store all the events or none."""
