"""Seats and waiting lists of limited programs, event by event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from projections.program_listing import PLACES
from projections.table import ReadTable


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """One row per event that gave a place away or took it back; the key is `reference`.

    A program's stream has one for each who comes and goes, in no order of effective time
    where they are imported. So they are kept one by one, and added up when asked for.

    Attributes:
        version: of the program, with this event.
        seats_taken, waiting: what the event adds to them.

    """

    reference: str
    program_id: UUID
    version: int
    effective_at: datetime
    recorded_at: datetime
    seats_taken: int
    waiting: int


def evolve(_: PlaceChange | None, event: Any) -> PlaceChange:
    """Return the row of `event`."""
    seats_taken, waiting = PLACES[type(event)]
    return PlaceChange(
        reference=event.reference,
        program_id=event.originator_id,
        version=event.originator_version,
        effective_at=event.effective_at,
        recorded_at=event.timestamp,
        seats_taken=seats_taken,
        waiting=waiting,
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
)
