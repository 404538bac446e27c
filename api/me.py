"""The caller's own page."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from psycopg import Connection

from api.access import caller
from api.program_shapes import EnrollmentCountsShape
from api.resource import Resource
from api.shapes import Shape, given, nullable, part
from api.shown import is_about
from api.wire import Answer, answer
from domain.permissions import Permission
from projections.certificate_register import CERTIFICATE_REGISTER
from projections.employee_queries import find_employee
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.own_summary import own_summary
from projections.recent_events import of_employee

me = Resource("me", "Who is calling.")


class OwnCertificateCountsShape(Shape):
    """One's certificates by what they prove today."""

    valid = given(fields.Integer)
    expired = given(fields.Integer)
    revoked = given(fields.Integer)


class MeShape(Shape):
    """Who the caller is, and what is the caller's own."""

    subject = given(fields.String, "Who calls, as the token says.")
    roles = fields.List(fields.String(), required=True)
    employee_id = nullable(fields.String, "Whose records are the caller's own.")
    name = nullable(fields.String, "null for who is not in the directory.")
    department = nullable(fields.String)
    enrollments = part(EnrollmentCountsShape)
    overdue = given(fields.Integer, "How many of the enrollments are open and past due.")
    certificates = part(OwnCertificateCountsShape)


@me.query(
    "/me",
    # Everybody who has any role may do that much.
    Permission.READ_PROGRAMS,
    answer=MeShape,
    tables=(ENROLLMENT_LISTING, CERTIFICATE_REGISTER),
    is_cached=True,
)
def get_me(conn: Connection[Any]) -> Answer:
    """Show who calls, in which roles, and what is the caller's own."""
    identity = caller().identity
    # Nobody in the directory has an empty id.
    employee_id = identity.employee_id or ""
    is_about([of_employee(employee_id)])
    found = find_employee(conn, ["name", "department"], employee_id)
    name, department = found or (None, None)
    summary = own_summary(conn, employee_id)
    return answer(
        {
            "subject": identity.subject,
            "roles": identity.roles,
            "employee_id": identity.employee_id,
            "name": name,
            "department": department,
            "enrollments": summary.enrollments,
            "overdue": summary.overdue,
            "certificates": summary.certificates,
        }
    )
