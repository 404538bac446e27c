"""Reading waiting lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import fields
from psycopg import Connection

from api.access import caller
from api.enrollment_reads import topics_in
from api.lists import list_answer
from api.parameters import ListParameters
from api.program_reads import require_visible
from api.resource import Resource
from api.selection import Showing
from api.shapes import Shape, given, listed, looked_up, shown
from api.shown import is_about
from api.wire import Answered
from domain.permissions import Permission
from projections.keyset import Order
from projections.program_listing import PROGRAM_LISTING
from projections.waiting_list import WAITING_LIST
from projections.waiting_queries import WAITING, count_waiting, waiting_for

IN_TURN = Order("turn", descending=False)

waitlists = Resource("waitlists", "Who waits for a place in a program.")


class WaitingShape(Shape):
    """An employee who waits for a place in a program."""

    place = given(fields.Integer, "1 is the next to get a place.")
    enrollment_id = given(fields.UUID)
    program_id = given(fields.UUID)
    employee_id = given(fields.String)
    employee_name = looked_up(fields.String)
    waiting_since = given(fields.DateTime)


ShownWaiting = shown(WaitingShape, "Waiting")
SHOWING = Showing(WAITING, ShownWaiting, about="employee_id")


@waitlists.query(
    "/programs/<id:program_id>/waitlist",
    Permission.READ_ENROLLMENTS,
    answer=listed(ShownWaiting, "WaitingList"),
    tables=(WAITING_LIST, PROGRAM_LISTING),
    parameters=SHOWING.parameters(ListParameters),
    is_cached=True,
)
def get_waitlist(
    conn: Connection[Any], parameters: Mapping[str, Any], program_id: UUID
) -> Answered:
    """List who waits for a place in a program, in turn.

    Employees see their own place.
    """
    require_visible(conn, program_id)
    is_about(topics_in([program_id]))
    own = caller().own_employee_id
    return list_answer(
        conn,
        parameters,
        SHOWING,
        waiting_for(program_id, own),
        count_waiting(program_id, own),
        IN_TURN,
    )
