"""Seats and waiting lists of limited programs, event by event."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from projections.program_listing import PLACES
from projections.row import Row
from projections.table import ReadTable


class PlaceChange(Row, frozen=True):
    """One row per event that gave a place away or took it back; the key is `reference`.

    A program's stream has one for each who comes and goes, in no order of effective time
    where they are imported. So they are kept one by one. Asked for a moment, each person has
    what the last of their events that counts then gave or left them.

    Attributes:
        version: of the program, with this event.
        has_seat, is_waiting: whether they have a seat, or wait for one, from this event on.

    """

    reference: str
    program_id: UUID
    employee_id: str
    version: int
    effective_at: datetime
    recorded_at: datetime
    has_seat: bool
    is_waiting: bool


def evolve(_: PlaceChange | None, event: Any) -> PlaceChange:
    """Return the row of `event`."""
    seats_taken, waiting = PLACES[type(event)]
    return PlaceChange(
        reference=event.reference,
        program_id=event.originator_id,
        employee_id=event.employee_id,
        version=event.originator_version,
        effective_at=event.effective_at,
        recorded_at=event.timestamp,
        has_seat=seats_taken > 0,
        is_waiting=waiting > 0,
    )


def _reference_of(event: Any) -> str:
    reference: str = event.reference
    return reference


PROGRAM_PLACES = ReadTable(
    name="program_places",
    row=PlaceChange,
    key="reference",
    keys=dict.fromkeys(PLACES, _reference_of),
    evolve=evolve,
    indexes=("(program_id)",),
    begins=lambda _event: True,
    definition=2,
)
