"""Reading an employee's transcript."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from psycopg import Connection

from api.access import caller
from api.audit_log import shows
from api.problems import not_found
from api.resource import Resource
from api.shapes import Shape, given, listed, looked_up, nullable, word
from api.shown import is_about
from api.wire import Answer, answer
from domain.enrollment import EnrollmentStatus, Source
from domain.permissions import Permission
from projections.employee_queries import find_employee
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.program_listing import PROGRAM_LISTING
from projections.recent_events import OF_PROGRAMS, of_employee
from projections.transcript import transcript

transcripts = Resource("transcripts", "All that an employee ever took part in.")


class CycleShape(Shape):
    """One cycle of an employee in a program."""

    enrollment_id = given(fields.UUID)
    program_id = given(fields.UUID)
    program_code = looked_up(fields.String)
    program_title = looked_up(fields.String)
    program_category = looked_up(fields.String)
    cycle = given(fields.Integer, "1 for the first time in the program, then one more each time.")
    status = word(EnrollmentStatus)
    source = word(Source)
    department = nullable(fields.String, "The employee's when the cycle began.")
    program_revision = given(fields.Integer, "The program's revision when the cycle began.")
    due_on = nullable(fields.Date)
    percent = given(fields.Float)
    score_percent = nullable(fields.Float, "The final score of the cycle.")
    grade = nullable(fields.String)
    certificate_number = nullable(fields.String)
    began_at = given(fields.DateTime)
    enrolled_at = nullable(fields.DateTime)
    started_at = nullable(fields.DateTime)
    ended_at = nullable(fields.DateTime)


@transcripts.query(
    "/employees/<employee:employee_id>/transcript",
    Permission.READ_ENROLLMENTS,
    answer=listed(CycleShape, "Transcript"),
    tables=(ENROLLMENT_LISTING, PROGRAM_LISTING),
    is_cached=True,
)
def get_transcript(conn: Connection[Any], employee_id: str) -> Answer:
    """Show every cycle of an employee in every program, all on one page.

    Employees see their own.
    """
    own = caller().own_employee_id
    if own not in {None, employee_id}:
        raise not_found("employee", employee_id)
    shows([employee_id])
    is_about([OF_PROGRAMS, of_employee(employee_id)])
    cycles = transcript(conn, employee_id)
    if not cycles and own is None and find_employee(conn, ["id"], employee_id) is None:
        raise not_found("employee", employee_id)
    return answer({"items": cycles, "total": len(cycles), "next": None})
