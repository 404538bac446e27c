"""Aggregates as the events of their streams made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from domain.aggregate import Aggregate
    from domain.log import Log
    from domain.snapshots import Snapshots
    from domain.stored_events import StoredEvents

    AnyAggregate = TypeVar("AnyAggregate", bound=Aggregate)

PAGE_STREAMS = 500


class Loader:
    """Loads aggregates; one that has no events is blank."""

    def __init__(self, log: Log, events: StoredEvents, snapshots: Snapshots) -> None:
        """Read the `events`, those of many streams at once through `log`."""
        self._log = log
        self._events = events
        self._snapshots = snapshots

    def load(self, kind: type[AnyAggregate], aggregate_id: UUID) -> AnyAggregate:
        """Return the aggregate: its snapshot where there is one, and what came since."""
        aggregate = self._restored(kind, aggregate_id) or kind.blank(aggregate_id)
        self.catch_up(aggregate)
        return aggregate

    def load_many(
        self, kind: type[AnyAggregate], aggregate_ids: Sequence[UUID]
    ) -> Iterator[AnyAggregate]:
        """Return the aggregates one after the other, but read them a page at a time."""
        for start in range(0, len(aggregate_ids), PAGE_STREAMS):
            streams = self._log.select_streams(aggregate_ids[start : start + PAGE_STREAMS])
            for aggregate_id, stored in streams.items():
                aggregate = kind.blank(aggregate_id)
                for event in map(self._events.mapper.to_domain_event, stored):
                    event.mutate(aggregate)  # type: ignore[attr-defined]  # every event of ours can
                yield aggregate

    def catch_up(self, aggregate: Aggregate) -> None:
        """Let the aggregate follow the events that came since it was loaded."""
        for event in self._events.get(aggregate.id, gt=aggregate.version or None):
            event.mutate(aggregate)  # type: ignore[attr-defined]  # every event of ours can

    def _restored(self, kind: type[AnyAggregate], aggregate_id: UUID) -> AnyAggregate | None:
        snapshot = self._snapshots.get(aggregate_id) if kind.HAS_SNAPSHOTS else None
        restored = snapshot.restored() if snapshot else None
        return restored if isinstance(restored, kind) else None
