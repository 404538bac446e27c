"""What deciding needs of the event log, besides the events of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from uuid import UUID

    from eventsourcing.persistence import StoredEvent


class Log(Protocol):
    """The event log, as commands use it."""

    def transaction(self) -> AbstractContextManager[None]:
        """Make all that this thread reads, locks and saves one transaction."""

    def lock(self, key: UUID, *, shared: bool) -> None:
        """Wait in line for the lock of `key`, and hold it until the transaction ends."""

    def find(self, topic: str, field: str, value: str) -> Sequence[UUID]:
        """Return the streams with an event of `topic` whose `field` is `value`."""

    def select_streams(self, stream_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[StoredEvent]]:
        """Return the events of each of the streams, in order of version."""
