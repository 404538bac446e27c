"""What a batch needs to read, read before in one question instead of one by one.

Being out of date does no harm here: the log refuses a version that stands in it
already. Then the batch is given up, and its commands are given one by one,
without anything read before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol

from domain.directory import Directory, Employee
from eventlog.event_store import SealingEventStore

Events = Sequence[DomainEventProtocol[UUID]]


class PrefetchedEvents(SealingEventStore):
    """An event store that knows some streams already."""

    _known: Mapping[UUID, Events] = {}

    def know(self, streams: Mapping[UUID, Events]) -> None:
        """Answer for `streams`, all of their events each, and ask the log for others."""
        self._known = streams

    def get(
        self, originator_id: UUID, *, gt: int | None = None, **wanted: Any
    ) -> Iterator[DomainEventProtocol[UUID]]:
        """Return the stream's events with versions above `gt`, as the one it extends."""
        known = self._known.get(originator_id)
        if known is None or wanted:
            return super().get(originator_id, gt=gt, **wanted)
        return (event for event in known if gt is None or event.originator_version > gt)

    def read(self, stream_id: UUID) -> Events:
        """Return the stream's events with their text, as the one it extends."""
        known = self._known.get(stream_id)
        return super().read(stream_id) if known is None else known


class PrefetchedDirectory:
    """A directory that knows some employees already."""

    def __init__(self, directory: Directory) -> None:
        """Ask `directory` for those it does not know."""
        self._directory = directory
        self._known: Mapping[str, Employee] = {}

    def know(self, employees: Mapping[str, Employee]) -> None:
        """Answer for `employees`, by id, and ask the directory for others."""
        self._known = employees

    def find_many(self, employee_ids: Collection[str]) -> Mapping[str, Employee]:
        """Return the employees with these ids, by id; those whom nobody knows are left out."""
        known = {it: self._known[it] for it in employee_ids if it in self._known}
        others = [it for it in employee_ids if it not in known]
        return {**known, **self._directory.find_many(others)} if others else known
