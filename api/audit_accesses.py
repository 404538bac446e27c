"""Who looked at audit data, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC
from typing import Any

from marshmallow import fields
from psycopg import Connection

from api.audit_parameters import MAX_POSITION, MAX_WORD_LENGTH
from api.enrollment_shapes import MAX_EMPLOYEE_ID_LENGTH
from api.fields import Body, Moment, Text
from api.paging import link_to
from api.parameters import ABSENT, DEFAULT_LIMIT, MAX_LIMIT, WholeParameter
from api.resource import Resource
from api.shapes import Shape, given, nullable
from api.wire import Answer, answer
from audit.accesses import WantedAccesses, latest
from domain.permissions import Permission

audit_accesses = Resource("audit-accesses", "Who looked at audit data.")


class AccessParameters(Body):
    """Which accesses are wanted. Times are from the first up to the second."""

    reader = Text(MAX_WORD_LENGTH, **ABSENT)
    employee_id = Text(
        MAX_EMPLOYEE_ID_LENGTH, **ABSENT, metadata={"description": "Whose data was looked at."}
    )
    accessed_from = Moment(**ABSENT)
    accessed_before = Moment(**ABSENT)
    limit = WholeParameter(1, MAX_LIMIT, load_default=DEFAULT_LIMIT)
    cursor = WholeParameter(0, MAX_POSITION, **ABSENT)


class AccessShape(Shape):
    """One look at audit data."""

    number = given(fields.Integer, "Rises with every access.")
    accessed_at = given(fields.DateTime)
    reader = given(fields.String, "Who looked.")
    roles = fields.List(fields.String(), required=True)
    operation = given(fields.String, "What was called.")
    asked_for = given(fields.String, "The path with its query, or the command.")
    employees = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Whose data was shown, or asked for where it was denied."},
    )
    status = nullable(fields.Integer, "The HTTP status of the answer; null for commands.")
    correlation_id = nullable(fields.String)


class AccessList(Shape):
    """A page of accesses, the last one first."""

    items = fields.List(fields.Nested(AccessShape), required=True)
    total = nullable(fields.Integer, "Null: they are not counted.")
    next = nullable(fields.String, "Path and query of the next page, null on the last.")


@audit_accesses.query(
    "/audit/accesses",
    Permission.READ_HISTORY,
    answer=AccessList,
    parameters=AccessParameters,
)
def get_audit_accesses(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answer:
    """Show who looked at audit data, and at whose. To look here is logged, too."""
    limit = parameters["limit"]
    names = ("reader", "employee_id", "accessed_from", "accessed_before")
    wanted = WantedAccesses(
        **{name: parameters[name] for name in names}, before_number=parameters["cursor"]
    )
    found = latest(conn, wanted, limit + 1)
    shown = found[:limit]
    following = link_to(str(shown[-1].number)) if len(shown) < len(found) else None
    items = [asdict(one) | {"accessed_at": one.accessed_at.astimezone(UTC)} for one in shown]
    return answer({"items": items, "total": None, "next": following})
