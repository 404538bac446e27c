"""What programs look like, coming in and going out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from marshmallow import fields

from api.acts import ActBody
from api.fields import Body, Choice, Day, Flag, Money, Number, Part, Percent, Text, Texts, Whole
from api.merging import merge_patch_of, merged
from api.shapes import Shape, given, nullable, part, word, word_or_null
from domain.program_details import (
    MAX_CAPACITY,
    MAX_CODE_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_DURATION_HOURS,
    MAX_NAME_LENGTH,
    MAX_TAG_LENGTH,
    MAX_TAGS,
    MAX_TITLE_LENGTH,
    MAX_VALID_FOR_MONTHS,
    Certification,
    DeliveryMode,
    Issuing,
    Level,
    ProgramDetails,
)
from domain.training_program import ProgramStatus
from projections.outcomes import StatusCounts
from projections.program_listing import ProgramRow

OPTIONAL: dict[str, Any] = {"load_default": None, "allow_none": True}
CURRENCY_LENGTH = 3


class CertificationBody(Body):
    """What a completion earns."""

    offered = Flag(load_default=False)
    title = Text(MAX_TITLE_LENGTH, **OPTIONAL)
    issued = Choice(Issuing, load_default=Issuing.AUTOMATICALLY)
    valid_for_months = Whole(1, MAX_VALID_FOR_MONTHS, **OPTIONAL)


class ProgramBody(ActBody):
    """All that can be said of a program. A capacity of null means unlimited."""

    code = Text(MAX_CODE_LENGTH, required=True)
    title = Text(MAX_TITLE_LENGTH, required=True)
    description = Text(MAX_DESCRIPTION_LENGTH, **OPTIONAL)
    category = Text(MAX_NAME_LENGTH, **OPTIONAL)
    level = Choice(Level, **OPTIONAL)
    delivery_mode = Choice(DeliveryMode, **OPTIONAL)
    provider = Text(MAX_NAME_LENGTH, **OPTIONAL)
    instructor = Text(MAX_NAME_LENGTH, **OPTIONAL)
    duration_hours = Number(0, MAX_DURATION_HOURS, **OPTIONAL)
    capacity = Whole(1, MAX_CAPACITY, **OPTIONAL)
    starts_on = Day(**OPTIONAL)
    ends_on = Day(**OPTIONAL)
    enrollment_deadline = Day(**OPTIONAL)
    cost = Money(**OPTIONAL)
    currency = Text(CURRENCY_LENGTH, **OPTIONAL)
    mandatory = Flag(load_default=False)
    tags = Texts(Text(MAX_TAG_LENGTH), MAX_TAGS, load_default=list)
    pass_score_percent = Percent(**OPTIONAL)
    signature_required = Flag(load_default=False)
    certification = Part(CertificationBody, load_default=lambda: CertificationBody().load({}))


ProgramPatch = merge_patch_of(ProgramBody)


class CertificationShape(Shape):
    """What a completion earns."""

    offered = given(fields.Boolean)
    title = nullable(fields.String)
    issued = word(Issuing)
    valid_for_months = nullable(fields.Integer, "null means without an end.")


class EnrollmentCountsShape(Shape):
    """The program's enrollments by status."""

    waitlisted = given(fields.Integer)
    enrolled = given(fields.Integer)
    in_progress = given(fields.Integer)
    completed = given(fields.Integer)
    failed = given(fields.Integer)
    withdrawn = given(fields.Integer)


class ProgramShape(Shape):
    """A training program."""

    id = given(fields.UUID)
    status = word(ProgramStatus)
    version = given(fields.Integer, "Rises with every change.")
    revision = given(fields.Integer, "Rises when the details are revised.")
    code = given(fields.String)
    title = given(fields.String)
    description = nullable(fields.String)
    category = nullable(fields.String)
    level = word_or_null(Level)
    delivery_mode = word_or_null(DeliveryMode)
    provider = nullable(fields.String)
    instructor = nullable(fields.String)
    duration_hours = nullable(fields.Float)
    capacity = nullable(fields.Integer, "null means unlimited.")
    starts_on = nullable(fields.Date)
    ends_on = nullable(fields.Date)
    enrollment_deadline = nullable(fields.Date, "The last day to enroll.")
    cost = nullable(fields.String, "A decimal string.")
    currency = nullable(fields.String, "ISO 4217.")
    mandatory = given(fields.Boolean)
    tags = fields.List(fields.String(), required=True)
    pass_score_percent = nullable(fields.Float)
    signature_required = given(fields.Boolean, "Whether a completion must be signed.")
    certification = part(CertificationShape)
    seats_taken = nullable(fields.Integer, "null for an unlimited program, which counts none.")
    waitlist_length = given(fields.Integer)
    enrollment_counts = part(EnrollmentCountsShape)
    created_at = given(fields.DateTime)
    published_at = nullable(fields.DateTime, "When it was first published.")
    changed_at = given(fields.DateTime)


def details_of(body: Mapping[str, Any]) -> ProgramDetails:
    """Return the details that `body` states."""
    own = {name: body[name] for name in ProgramDetails.__slots__}
    own["tags"] = tuple(own["tags"])
    own["certification"] = Certification(**own["certification"])
    return ProgramDetails(**own)


def amended(details: ProgramDetails, patch: Mapping[str, Any]) -> ProgramDetails:
    """Return `details` with the changes of `patch`."""
    return details_of(merged(ProgramBody, asdict(details), patch))


def program_json(row: ProgramRow, counts: StatusCounts) -> dict[str, object]:
    """Return the program as it is answered."""
    return {
        "id": row.id,
        "status": row.status,
        "version": row.version,
        "revision": row.revision,
        "code": row.code,
        "title": row.title,
        "description": row.description,
        "category": row.category,
        "level": row.level,
        "delivery_mode": row.delivery_mode,
        "provider": row.provider,
        "instructor": row.instructor,
        "duration_hours": row.duration_hours,
        "capacity": row.capacity,
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
        "enrollment_deadline": row.enrollment_deadline,
        "cost": row.cost,
        "currency": row.currency,
        "mandatory": row.mandatory,
        "tags": row.tags,
        "pass_score_percent": row.pass_score_percent,
        "signature_required": row.signature_required,
        "certification": {
            "offered": row.certification_offered,
            "title": row.certification_title,
            "issued": row.certification_issued,
            "valid_for_months": row.certification_valid_for_months,
        },
        "seats_taken": None if row.capacity is None else row.seats_taken,
        "waitlist_length": row.waiting,
        "enrollment_counts": counts,
        "created_at": row.created_at,
        "published_at": row.published_at,
        "changed_at": row.changed_at,
    }
