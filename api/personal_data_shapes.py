"""What holds and erasures look like."""

from __future__ import annotations

from marshmallow import fields

from api.shapes import Shape, given, nullable
from projections.legal_holds import HoldRow


class HoldShape(Shape):
    """A legal hold: the employee's data cannot be erased."""

    employee_id = given(fields.String)
    version = given(fields.Integer, "Rises with every hold, lifting and erasure.")
    reason = nullable(fields.String)
    placed_by = given(fields.String)
    placed_at = given(fields.DateTime)


class LiftedShape(Shape):
    """There is no legal hold on the employee's data any more."""

    employee_id = given(fields.String)
    version = given(fields.Integer, "Rises with every hold, lifting and erasure.")


class ErasureShape(Shape):
    """The receipt of an erasure. It names the employee by the id alone."""

    employee_id = given(fields.String)
    position = given(fields.Integer, "The erasure's place in the log.")
    version = given(fields.Integer, "Rises with every hold, lifting and erasure.")
    erased_at = given(fields.DateTime)
    erased_by = given(fields.String)
    role = given(fields.String)
    reason = nullable(fields.String)
    enrollments = given(fields.Integer, "How many enrollments the text was about.")
    events = given(fields.Integer, "How many events these had. All stay; their text is unreadable.")


def hold_json(row: HoldRow) -> dict[str, object]:
    """Return the hold as it is answered."""
    return {name: getattr(row, name) for name in HoldShape().fields}
