"""What comes in and goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate


class PageSchema(Schema):
    """Which page of a list is wanted."""

    limit = fields.Integer(load_default=20, validate=validate.Range(1, 200))
    offset = fields.Integer(load_default=0, validate=validate.Range(0))


class ProgramQuery(PageSchema):
    """Which programs are wanted."""

    status = fields.String()
    category = fields.String()


class EnrollmentQuery(PageSchema):
    """Which enrollments are wanted."""

    status = fields.String()
    program_id = fields.UUID()
    employee_id = fields.String()
    department = fields.String()


class CertificateQuery(PageSchema):
    """Which certificates are wanted."""

    program_id = fields.UUID()
    employee_id = fields.String()


class EnrollBody(Schema):
    """Who enrolls in what."""

    program_id = fields.UUID(required=True)
    employee_id = fields.String(required=True, validate=validate.Length(1, 200))
    due_on = fields.Date(load_default=None, allow_none=True)


def a_percent(**options: Any) -> fields.Float:
    """Return a field from 0 to 100."""
    return fields.Float(validate=validate.Range(0, 100), **options)


class ProgressBody(Schema):
    """How far the employee is."""

    percent = a_percent(required=True)
    score_percent = a_percent(load_default=None, allow_none=True)


class CompleteBody(Schema):
    """The end with success."""

    score_percent = a_percent(load_default=None, allow_none=True)
    grade = fields.String(load_default=None, allow_none=True)


class ProgramSchema(Schema):
    """A training program."""

    id = fields.UUID()
    status = fields.String()
    version = fields.Integer()
    revision = fields.Integer()
    code = fields.String()
    title = fields.String()
    description = fields.String()
    category = fields.String()
    level = fields.String()
    delivery_mode = fields.String()
    provider = fields.String()
    instructor = fields.String()
    duration_hours = fields.Float()
    capacity = fields.Integer()
    starts_on = fields.Date()
    ends_on = fields.Date()
    enrollment_deadline = fields.Date()
    cost = fields.Decimal(as_string=True)
    currency = fields.String()
    mandatory = fields.Boolean()
    tags = fields.List(fields.String())
    pass_score_percent = fields.Float()
    signature_required = fields.Boolean()
    certification = fields.Raw()
    seats_taken = fields.Integer()
    waitlist_length = fields.Integer()
    enrollment_counts = fields.Raw()
    created_at = fields.DateTime()
    published_at = fields.DateTime()
    changed_at = fields.DateTime()


class EnrollmentSchema(Schema):
    """An employee in a program."""

    id = fields.UUID()
    status = fields.String()
    version = fields.Integer()
    program_id = fields.UUID()
    employee_id = fields.String()
    cycle = fields.Integer()
    source = fields.String()
    department = fields.String()
    program_revision = fields.Integer()
    due_on = fields.Date()
    overdue = fields.Boolean()
    percent = fields.Float()
    progress_score_percent = fields.Float()
    score_percent = fields.Float()
    past_score_percent = fields.Float()
    grade = fields.String()
    signature = fields.Raw()
    certificate_number = fields.String()
    began_at = fields.DateTime()
    enrolled_at = fields.DateTime()
    started_at = fields.DateTime()
    progressed_at = fields.DateTime()
    ended_at = fields.DateTime()
    changed_at = fields.DateTime()


class ShownEnrollment(EnrollmentSchema):
    """With what readers look up."""

    program_code = fields.String(attribute="program.code")
    program_title = fields.String(attribute="program.title")
    program_category = fields.String(attribute="program.category")
    employee_name = fields.String(attribute="employee.name")


class CertificateSchema(Schema):
    """Proof of a completion."""

    id = fields.String()
    number = fields.String()
    status = fields.String(attribute="validity")
    version = fields.Integer()
    enrollment_id = fields.UUID()
    program_id = fields.UUID()
    employee_id = fields.String()
    cycle = fields.Integer()
    title = fields.String()
    valid_from = fields.Date()
    valid_until = fields.Date()
    issued_at = fields.DateTime()
    revoked_at = fields.DateTime()
    changed_at = fields.DateTime()
    program_code = fields.String(attribute="program.code")
    program_title = fields.String(attribute="program.title")
    employee_name = fields.String(attribute="employee.name")


class ShownCertificate(CertificateSchema):
    """With the signature on the completion."""

    signature = fields.Raw(attribute="enrollment.signature")
