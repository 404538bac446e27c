"""What enrollments look like, coming in and going out."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import fields

from api.acts import ActBody, ReasonedBody
from api.fields import Body, Day, Identifier, Part, Percent, Text
from api.shapes import Shape, given, looked_up, nullable, word
from domain.enrollment import MAX_NOTE_LENGTH, EnrollmentStatus, Source
from domain.program_details import MAX_NAME_LENGTH
from projections.enrollment_queries import is_overdue
from projections.enrollment_row import EnrollmentRow, PastCycle

OPTIONAL: dict[str, Any] = {"load_default": None, "allow_none": True}
MAX_EMPLOYEE_ID_LENGTH = 200


class EnrollBody(ActBody):
    """Who enrolls in what. An employee may leave `employee_id` out: it is the caller then."""

    program_id = Identifier(required=True)
    employee_id = Text(MAX_EMPLOYEE_ID_LENGTH, **OPTIONAL)
    due_on = Day(**OPTIONAL)


class ProgressBody(ActBody):
    """How far the employee is."""

    percent = Percent(required=True)
    score_percent = Percent(**OPTIONAL)
    note = Text(MAX_NOTE_LENGTH, **OPTIONAL)


class CorrectBody(ReasonedBody):
    """What the progress should have been."""

    percent = Percent(required=True)


class SigningBody(Body):
    """The caller's signature. Its time is that of the recording."""

    printed_name = Text(MAX_NAME_LENGTH, required=True)
    meaning = Text(
        MAX_NAME_LENGTH,
        required=True,
        metadata={"description": "What it stands for, as `approved` or `observed`."},
    )


class CompleteBody(ActBody):
    """The end with success."""

    score_percent = Percent(**OPTIONAL)
    grade = Text(MAX_NAME_LENGTH, **OPTIONAL)
    signature = Part(SigningBody, **OPTIONAL)


class FailBody(ActBody):
    """The end without success."""

    score_percent = Percent(**OPTIONAL)


class SignatureShape(Shape):
    """The signature on a completion."""

    signed_by = given(fields.String, "The id of the actor.")
    signed_at = given(fields.DateTime)
    printed_name = nullable(fields.String, "`[erased]` when the employee's data was erased.")
    meaning = given(fields.String)
    record_sha256 = given(fields.String, "What was signed; see docs/privacy.md.")


class EnrollmentShape(Shape):
    """An employee's present cycle in a program."""

    id = given(fields.UUID)
    status = word(EnrollmentStatus)
    version = given(fields.Integer, "Rises with every change.")
    program_id = given(fields.UUID)
    employee_id = given(fields.String)
    cycle = given(fields.Integer, "1 for the first time in the program, then one more each time.")
    source = word(Source)
    department = nullable(fields.String, "The employee's when the cycle began.")
    program_revision = given(fields.Integer, "The program's revision when the cycle began.")
    due_on = nullable(fields.Date)
    overdue = given(fields.Boolean, "Whether the due day has passed and the cycle is open.")
    percent = given(fields.Float)
    progress_score_percent = nullable(fields.Float, "The score of the last progress that had one.")
    score_percent = nullable(fields.Float, "The final score of the cycle.")
    past_score_percent = nullable(fields.Float, "The best final score of the cycles before.")
    grade = nullable(fields.String)
    signature = fields.Nested(SignatureShape, required=True, allow_none=True)
    certificate_number = nullable(fields.String)
    began_at = given(fields.DateTime)
    enrolled_at = nullable(fields.DateTime, "When the employee got a place.")
    started_at = nullable(fields.DateTime, "When the first progress was made, or it was completed.")
    progressed_at = nullable(fields.DateTime)
    ended_at = nullable(fields.DateTime)
    changed_at = given(fields.DateTime)
    program_code = looked_up(fields.String)
    program_title = looked_up(fields.String)
    program_category = looked_up(fields.String)
    employee_name = looked_up(fields.String)


def enrollment_json(row: EnrollmentRow, today: date) -> dict[str, object]:
    """Return the enrollment as it is answered, without what belongs to other resources."""
    return {
        "id": row.id,
        "status": row.status,
        "version": row.version,
        "program_id": row.program_id,
        "employee_id": row.employee_id,
        "cycle": row.cycle,
        "source": row.source,
        "department": row.department,
        "program_revision": row.program_revision,
        "due_on": row.due_on,
        "overdue": is_overdue(row, today),
        "percent": row.percent,
        "progress_score_percent": row.progress_score_percent,
        "score_percent": row.score_percent,
        "past_score_percent": row.past_score_percent,
        "grade": row.grade,
        "signature": signature_json(row),
        "certificate_number": row.certificate_number,
        "began_at": row.began_at,
        "enrolled_at": row.enrolled_at,
        "started_at": row.started_at,
        "progressed_at": row.progressed_at,
        "ended_at": row.ended_at,
        "changed_at": row.changed_at,
    }


def signature_json(row: EnrollmentRow | PastCycle) -> dict[str, object] | None:
    """Return the signature on the completion, if there is one."""
    if row.signed_sha256 is None:
        return None
    return {
        "signed_by": row.signed_by,
        "signed_at": row.signed_at,
        "printed_name": row.signer_name,
        "meaning": row.signature_meaning,
        "record_sha256": row.signed_sha256,
    }
