"""What bulk commands look like: rows coming in, and a result for each going out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema, fields, validate

from api.acts import ActBody
from api.bulk_results import NOT_DONE, REFUSED
from api.description import ProblemShape
from api.enrollment_shapes import MAX_EMPLOYEE_ID_LENGTH, OPTIONAL
from api.fields import Body, Day, Flag, Identifier, Percent, Text
from api.shapes import Shape, given, nullable, part, word
from domain.enrollment import MAX_NOTE_LENGTH

MAX_ROWS = 10_000

ADMITTED = ("enrolled", "waitlisted", REFUSED, NOT_DONE)
RECORDED = ("recorded", REFUSED, NOT_DONE)

ATOMIC = {"description": "Whether one row that is refused refuses all of them."}


class Rows(fields.List[Any]):
    """JSON objects, each described by a schema; they are read one by one later."""

    default_error_messages = {  # noqa: RUF012  # as marshmallow has it
        "required": "is required",
        "null": "must not be null",
        "invalid": "must be a list of JSON objects",
    }

    def __init__(self, each: type[Schema], **options: Any) -> None:
        """Take up to `MAX_ROWS` objects that are described by `each`."""
        error = f"must be 1 to {MAX_ROWS} rows"
        rule = validate.Length(min=1, max=MAX_ROWS, error=error)
        super().__init__(fields.Nested(each), required=True, validate=rule, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[Any]:
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.make_error("invalid")
        return value


class EnrollRow(Body):
    """One employee and one program. An employee may leave `employee_id` out, as ever."""

    program_id = Identifier(required=True)
    employee_id = Text(MAX_EMPLOYEE_ID_LENGTH, **OPTIONAL)
    due_on = Day(**OPTIONAL)


class ProgressRow(Body):
    """How far one enrollment is."""

    enrollment_id = Identifier(required=True)
    percent = Percent(required=True)
    score_percent = Percent(**OPTIONAL)
    note = Text(MAX_NOTE_LENGTH, **OPTIONAL)


class BulkEnrollBody(ActBody):
    """Who enrolls in what, many times."""

    rows = Rows(EnrollRow)
    atomic = Flag(load_default=False, metadata=ATOMIC)


class BulkProgressBody(ActBody):
    """How far many are."""

    rows = Rows(ProgressRow)
    atomic = Flag(load_default=False, metadata=ATOMIC)


def _bulk(name: str, outcomes: Iterable[str]) -> type[Schema]:
    counts = Shape.from_dict(
        {outcome: given(fields.Integer) for outcome in outcomes}, name=f"{name}Counts"
    )
    result = Shape.from_dict(
        {
            "index": given(fields.Integer, "The row's place in the request, from 0 on."),
            "status": given(fields.Integer, "The HTTP status that the row alone would have had."),
            "outcome": word(outcomes),
            "enrollment_id": nullable(fields.String, "Of a refused row, what it said."),
            "employee_id": nullable(fields.String, "Likewise."),
            "problem": fields.Nested(ProblemShape, required=True, allow_none=True),
        },
        name=f"{name}Result",
    )
    return Shape.from_dict(
        {
            "rows": given(fields.Integer, "How many rows there were: the sum of the counts."),
            "counts": part(counts),
            "results": fields.List(fields.Nested(result), required=True),
        },
        name=name,
    )


BulkEnrolled = _bulk("BulkEnrolled", ADMITTED)
BulkProgress = _bulk("BulkProgress", RECORDED)
