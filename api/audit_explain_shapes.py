"""What explanations look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from marshmallow import fields
from msgspec.structs import asdict

from api.audit_links import row_explanation
from api.audit_shapes import EventList, EventShape, event_json
from api.shapes import Shape, given, nullable, word
from audit.behind import Behind
from audit.changes import RESOURCES
from audit.explaining import Explained

_NUMBERS = fields.Float()


class RowExplanationShape(EventList):
    """A row, and the events that made it."""

    resource = word(RESOURCES)
    key = given(fields.String)
    row = nullable(fields.Dict, "The row as these events make it; null when it is gone.")
    set_by = given(
        fields.Dict,
        "For each field that was ever set, the position of the event that did it last.",
        values=fields.Integer(),
    )


class BehindShape(Shape):
    """A row behind a number."""

    key = given(fields.String, "The row's id or number.")
    amount = given(fields.Float, "What the row adds to the number.")
    decided_by = fields.Nested(
        EventShape,
        required=True,
        allow_none=True,
        metadata={"description": "The event that made the row count here."},
    )
    explanation = given(fields.String, "Where all events behind the row are shown.")


class FigureExplanationShape(Shape):
    """A figure, its numbers, and the rows behind one of them."""

    figure = given(fields.String)
    definition = given(fields.String, "What the figure means.")
    value = nullable(fields.Float, "Null where there is none, or the denominator is 0.")
    numbers = given(fields.Dict, "The number of each part.", values=_NUMBERS)
    part = given(fields.String, "The part whose rows are shown.")
    resource = word(RESOURCES)
    items = fields.List(fields.Nested(BehindShape), required=True)
    total = nullable(fields.Integer, "How many rows there are; null where they are not counted.")
    next = nullable(fields.String, "Path and query of the next page, null on the last.")


def row_json(resource: str, key: object, explained: Explained) -> dict[str, object]:
    """Return what stands above the events of an explained row."""
    row = None if explained.row is None else asdict(explained.row)
    return {"resource": resource, "key": str(key), "row": row, "set_by": explained.set_by}


def behind_json(resource: str, rows: Sequence[Behind]) -> list[Mapping[str, object]]:
    """Return the rows behind a number as they are answered."""
    return [
        {
            "key": row.key,
            "amount": row.amount,
            "decided_by": row.step and event_json(row.step),
            "explanation": row_explanation(resource, row.key),
        }
        for row in rows
    ]
