"""What certificates look like, coming in and going out."""

from __future__ import annotations

from datetime import date

from marshmallow import fields

from api.acts import ActBody
from api.enrollment_shapes import SignatureShape
from api.fields import Identifier
from api.shapes import Shape, given, looked_up, nullable, word
from projections.certificate_queries import Validity, validity
from projections.certificate_register import CertificateRow


class CertificateBody(ActBody):
    """Which completed enrollment is to be certified."""

    enrollment_id = Identifier(required=True)


class CertificateShape(Shape):
    """Proof of one completed cycle."""

    id = given(fields.String, "The certificate's number.")
    number = given(fields.String, "The same.")
    status = word(Validity)
    version = given(fields.Integer, "Rises with every change.")
    enrollment_id = given(fields.UUID)
    program_id = given(fields.UUID)
    employee_id = given(fields.String)
    cycle = given(fields.Integer)
    title = given(fields.String)
    valid_from = given(fields.Date)
    valid_until = nullable(fields.Date, "The last valid day; null means without an end.")
    issued_at = given(fields.DateTime)
    revoked_at = nullable(fields.DateTime)
    changed_at = given(fields.DateTime)
    program_code = looked_up(fields.String)
    program_title = looked_up(fields.String)
    employee_name = looked_up(fields.String)


class CertificateDetailShape(CertificateShape):
    """Proof of one completed cycle, with the signature on the completion."""

    signature = fields.Nested(SignatureShape, required=True, allow_none=True)


def certificate_json(row: CertificateRow, today: date) -> dict[str, object]:
    """Return the certificate as it is answered, without what belongs to other resources."""
    return {
        "id": row.number,
        "number": row.number,
        "status": validity(row, today),
        "version": row.version,
        "enrollment_id": row.enrollment_id,
        "program_id": row.program_id,
        "employee_id": row.employee_id,
        "cycle": row.cycle,
        "title": row.title,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "issued_at": row.issued_at,
        "revoked_at": row.revoked_at,
        "changed_at": row.changed_at,
    }
