"""The audit trail: by what events are searched for, without reading them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from eventlog.statements import LogRow
from projections.row import Row
from projections.table import EventTable
from projections.unreadable import Unreadable

_OF_PROGRAM = "program."


class TrailRow(Row, frozen=True):
    """One row per event of the log; the key is `position`.

    Attributes:
        program_id: the program that the event is about, whatever its stream.
        employee_id: whom it is about; None when it is about a program or a code.

    """

    position: int
    stream_id: UUID
    version: int
    topic: str
    actor: str
    role: str
    program_id: UUID | None
    employee_id: str | None
    correlation_id: str | None
    effective_at: datetime
    recorded_at: datetime


class _Provenance(msgspec.Struct):
    actor: str
    role: str
    correlation_id: str | None = None


class _Said(msgspec.Struct):
    """What is searched for in the JSON of an event, whatever else there may be."""

    provenance: _Provenance
    effective_at: datetime
    recorded_at: datetime
    program_id: UUID | None = None
    employee_id: str | None = None


def row_of(position: int, event: Any) -> TrailRow:
    """Return the row of an event. One that cannot be decoded has one, too, if it says enough.

    Raises msgspec.ValidationError where it does not.
    """
    if isinstance(event, Unreadable):
        return _row_of_unreadable(event.row)
    topic, provenance = event.TOPIC, event.provenance
    stream_id = event.originator_id
    return TrailRow(
        position,
        stream_id,
        event.originator_version,
        topic,
        provenance.actor,
        provenance.role,
        stream_id if topic.startswith(_OF_PROGRAM) else getattr(event, "program_id", None),
        getattr(event, "employee_id", None),
        provenance.correlation_id,
        event.effective_at,
        event.timestamp,
    )


def _row_of_unreadable(row: LogRow) -> TrailRow:
    position, stream_id, version, topic, state = row
    said = msgspec.json.decode(state, type=_Said)
    return TrailRow(
        position or 0,
        stream_id,
        version,
        topic,
        said.provenance.actor,
        said.provenance.role,
        stream_id if topic.startswith(_OF_PROGRAM) else said.program_id,
        said.employee_id,
        said.provenance.correlation_id,
        said.effective_at,
        said.recorded_at,
    )


AUDIT_TRAIL = EventTable[TrailRow](
    name="audit_trail",
    row=TrailRow,
    row_of=row_of,
    # A search goes along one of these in its own order until a page is full.
    indexes=(
        "(recorded_at, position)",
        "(actor, recorded_at)",
        "(role, recorded_at)",
        "(topic, recorded_at)",
        "(program_id, recorded_at)",
        "(effective_at, position)",
        "(employee_id, position)",
        "(correlation_id)",
    ),
)
