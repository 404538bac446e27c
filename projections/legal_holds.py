"""The legal holds that are in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from domain.personal_record import PersonalRecord
from projections.conditions import Conditions
from projections.count import Count
from projections.keyset import Listing, Order, Sort, Window
from projections.row import Row
from projections.table import ReadTable


class HoldRow(Row, frozen=True):
    """One row per employee whose data is held; the key is `employee_id`.

    Attributes:
        version: the version of the personal record with the hold.
        reason: why it is held.
        placed_by: the actor.
        placed_at: when it was placed (effective).

    """

    employee_id: str
    version: int
    reason: str | None
    placed_by: str
    placed_at: datetime


def evolve(_row: HoldRow | None, event: Any) -> HoldRow | None:
    """Return the row as it is after `event`: a hold is placed or lifted, and never changes."""
    if not isinstance(event, PersonalRecord.HoldPlaced):
        return None
    return HoldRow(
        employee_id=event.employee_id,
        version=event.originator_version,
        reason=event.reason,
        placed_by=event.provenance.actor,
        placed_at=event.effective_at,
    )


def _employee_of(event: Any) -> str:
    employee_id: str = event.employee_id
    return employee_id


LEGAL_HOLDS = ReadTable(
    name="legal_holds",
    row=HoldRow,
    key="employee_id",
    keys=dict.fromkeys((PersonalRecord.HoldPlaced, PersonalRecord.HoldLifted), _employee_of),
    evolve=evolve,
    indexes=("(placed_at, employee_id)",),
)

HOLDS = Listing(
    table="rollbook_read.legal_holds",
    key="employee_id",
    key_kind=str,
    fields={name: f"r.{name}" for name in HoldRow.__struct_fields__},
    sorts={"placed_at": Sort("r.placed_at", datetime)},
)


def count_holds() -> Count:
    """Return how many legal holds are in force; they are few."""
    return HOLDS.count(Conditions())


def oldest_holds(conn: Connection[Any], limit: int) -> list[HoldRow]:
    """Return the first `limit` of the legal holds in force, the oldest first."""
    names = HoldRow.__struct_fields__
    window = Window([Order("placed_at", descending=False)], limit)
    return [HoldRow(*row) for row in HOLDS.page(conn, names, Conditions(), window).rows]
