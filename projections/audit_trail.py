"""The audit trail: by what events are searched for, without reading them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from projections.row import Row
from projections.table import CopiedTable


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


# The text of an event is read once for all of its facts, which `->>` would not do.
AUDIT_TRAIL = CopiedTable[TrailRow](
    name="audit_trail",
    row=TrailRow,
    select="""
        SELECT e.position, e.stream_id, e.version, e.topic, source.actor, source.role,
               CASE WHEN starts_with(e.topic, 'program.') THEN e.stream_id
                    ELSE said.program_id END,
               said.employee_id, source.correlation_id, said.effective_at, said.recorded_at
        FROM rollbook.events e,
             json_to_record(e.state) AS said (
                 program_id uuid, employee_id text, effective_at timestamptz,
                 recorded_at timestamptz, provenance json
             ),
             json_to_record(said.provenance) AS source (
                 actor text, role text, correlation_id text
             )
    """,
    # A search goes along one of these in its own order until a page is full.
    indexes=(
        "(recorded_at, position)",
        "(effective_at, position)",
        "(actor, recorded_at)",
        "(role, recorded_at)",
        "(topic, recorded_at)",
        "(program_id, recorded_at)",
        "(employee_id, position)",
        "(correlation_id)",
    ),
)
