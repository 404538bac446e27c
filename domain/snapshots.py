"""What commands need of snapshots: to ask for one. They are taken elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uuid import UUID

    from domain.aggregate import Aggregate


class Snapshot(Protocol):
    """An aggregate as it stood at some version."""

    def restored(self) -> Aggregate:
        """Return the aggregate."""


class Snapshots(Protocol):
    """A cache: without it everything is the same, only slower."""

    def get(self, stream_id: UUID) -> Snapshot | None:
        """Return a snapshot of the stream's aggregate, at whatever version; None for none."""


class NoSnapshots:
    """Always reads streams from their start."""

    def get(self, stream_id: UUID) -> None:
        """Return None, whatever `stream_id` is."""
