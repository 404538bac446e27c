"""The events behind one row that the API shows, and which of them set each field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from audit.changes import RESOURCES, Key
from audit.history import Step, history_of
from eventlog.codec import EventCodec
from eventlog.pool import Connection


@dataclass(frozen=True, slots=True)
class Explained:
    """A row and the events that made it.

    Attributes:
        row: the row as these events make it; None when the last one took it away.
        steps: the events, each with what it changed in this row.
        set_by: for each field that has been set, the position of the event that did it last.
    """

    row: Any
    steps: Sequence[Step]
    set_by: Mapping[str, int]


def explain(
    conn: Connection, codec: EventCodec, resource: str, stream_id: UUID, key: Key
) -> Explained | None:
    """Return what made the row of a resource in a stream; None when there never was one."""
    return explained(history_of(conn, codec, stream_id), resource, key)


def explained(history: Iterable[Step], resource: str, key: Key) -> Explained | None:
    """Return what made the row of a resource, from a history in which its events are."""
    steps = [
        replace(step, changes=[c for c in step.changes if (c.resource, c.key) == (resource, key)])
        for step in history
        if _concerns(step, resource, key)
    ]
    if not steps:
        return None
    row = None
    for step in steps:
        row = RESOURCES[resource].evolve(row, step.event)
    set_by = {change.field: step.stored.id for step in steps for change in step.changes}
    return Explained(row, steps, set_by)


def _concerns(step: Step, resource: str, key: Key) -> bool:
    return bool(RESOURCES[resource].concerned(step.event) == key)
