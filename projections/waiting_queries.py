"""Who waits for a place in a program, in turn."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from projections.conditions import Conditions
from projections.count import Count, sum_of
from projections.keyset import Listing, Sort

# Waiting lists are short, so that a place can be counted out.
_PLACE = """(
    SELECT count(*) FROM rollbook_read.waiting_list ahead
    WHERE ahead.program_id = r.program_id AND ahead.turn <= r.turn
) AS place"""

FIELDS: Mapping[str, str] = {
    "place": _PLACE,
    "enrollment_id": "r.enrollment_id",
    "program_id": "r.program_id",
    "employee_id": "r.employee_id",
    "employee_name": "m.name AS employee_name",
    "waiting_since": "r.waiting_since",
}

WAITING = Listing(
    table="rollbook_read.waiting_list",
    key="enrollment_id",
    key_kind=UUID,
    fields=FIELDS,
    sorts={"turn": Sort("r.turn", int)},
    joined="LEFT JOIN rollbook.employees m ON m.id = r.employee_id",
)


def waiting_for(program_id: UUID, own: str | None = None) -> Conditions:
    """Return what makes up the waiting list of a program, or the part that is of `own`."""
    conditions = Conditions()
    conditions.add("r.program_id = %s", program_id)
    conditions.add_given("r.employee_id = %s", own)
    return conditions


def count_waiting(program_id: UUID, own: str | None = None) -> Count:
    """Return how many wait, or how many of them are `own`."""
    if own is not None:
        return WAITING.count(waiting_for(program_id, own))
    conditions = Conditions()
    conditions.add("program_id = %s", program_id)
    return sum_of("waiting", "rollbook_read.waiting_counts", conditions)
