"""Explanations over HTTP: from a row or a figure to the events behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from psycopg import Connection

from api.audit_explain_shapes import (
    FigureExplanationShape,
    RowExplanationShape,
    behind_json,
    row_json,
)
from api.audit_log import shows
from api.audit_parameters import MAX_POSITION, MAX_WORD_LENGTH
from api.audit_shapes import event_json
from api.clock import today
from api.enrollment_shapes import MAX_EMPLOYEE_ID_LENGTH
from api.fields import Body, Identifier, Text
from api.paging import link_to
from api.parameters import (
    ABSENT,
    DEFAULT_LIMIT,
    MAX_CURSOR_LENGTH,
    MAX_LIMIT,
    WholeParameter,
)
from api.problems import FieldError, invalid, not_found
from api.resource import Resource
from api.services import services
from api.wire import Answer, answer
from audit.behind import Scope, behind, numbers
from audit.changes import BOOKKEEPING, RESOURCES, Key
from audit.explaining import explain
from audit.figures import FIGURES, Part
from domain.enrollment import Enrollment
from domain.permissions import Permission
from domain.program_details import MAX_NAME_LENGTH
from projections.certificate_register import CERTIFICATE_REGISTER
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.program_listing import PROGRAM_LISTING

audit_explanations = Resource(
    "audit-explanations", "From what the API shows to the events behind it."
)


class RowParameters(Body):
    """Which events behind a row are wanted."""

    field = Text(
        MAX_WORD_LENGTH,
        **ABSENT,
        metadata={"description": "Only the events that set this field."},
    )
    limit = WholeParameter(1, MAX_LIMIT, load_default=DEFAULT_LIMIT)
    cursor = WholeParameter(0, MAX_POSITION, **ABSENT)


class FigureParameters(Body):
    """Of what the figure is asked, as for the figure itself, and which part of it."""

    part = Text(
        MAX_WORD_LENGTH,
        **ABSENT,
        metadata={"description": "A name in `numbers`, the first where nothing is said."},
    )
    program_id = Identifier(**ABSENT)
    category = Text(MAX_NAME_LENGTH, **ABSENT)
    department = Text(MAX_NAME_LENGTH, **ABSENT)
    employee_id = Text(MAX_EMPLOYEE_ID_LENGTH, **ABSENT)
    limit = WholeParameter(1, MAX_LIMIT, load_default=DEFAULT_LIMIT)
    cursor = Text(MAX_CURSOR_LENGTH, **ABSENT)


@audit_explanations.query(
    "/audit/explain/programs/<id:program_id>",
    Permission.READ_HISTORY,
    answer=RowExplanationShape,
    parameters=RowParameters,
)
def explain_program(
    conn: Connection[Any], parameters: Mapping[str, Any], program_id: UUID
) -> Answer:
    """Show a program and the events that made it what it is."""
    return _row(conn, parameters, "program", program_id, program_id)


@audit_explanations.query(
    "/audit/explain/enrollments/<id:enrollment_id>",
    Permission.READ_HISTORY,
    answer=RowExplanationShape,
    parameters=RowParameters,
)
def explain_enrollment(
    conn: Connection[Any], parameters: Mapping[str, Any], enrollment_id: UUID
) -> Answer:
    """Show an enrollment and the events that made it what it is."""
    return _row(conn, parameters, "enrollment", enrollment_id, enrollment_id)


@audit_explanations.query(
    "/audit/explain/certificates/<number:number>",
    Permission.READ_HISTORY,
    answer=RowExplanationShape,
    parameters=RowParameters,
)
def explain_certificate(
    conn: Connection[Any], parameters: Mapping[str, Any], number: str
) -> Answer:
    """Show a certificate and the events that made it what it is."""
    streams = services().log.find(Enrollment.CertificateIssued.TOPIC, "number", number)
    if not streams:
        raise not_found("certificate", number)
    return _row(conn, parameters, "certificate", streams[0], number)


@audit_explanations.query(
    "/audit/explain/figures/<figure>",
    Permission.READ_HISTORY,
    answer=FigureExplanationShape,
    tables=(ENROLLMENT_LISTING, PROGRAM_LISTING, CERTIFICATE_REGISTER),
    parameters=FigureParameters,
)
def explain_figure(conn: Connection[Any], parameters: Mapping[str, Any], figure: str) -> Answer:
    """Show the numbers of a figure, and page by page the rows behind one of them.

    Each comes with the event that decided that it counts there.
    """
    name, part = _part(figure, parameters["part"])
    scope, limit = _scope(figure, parameters), parameters["limit"]
    value, found = numbers(conn, figure, scope, today())
    codec = services().mapper
    rows = behind(conn, codec, part, scope, today(), limit + 1, parameters["cursor"])
    shown = rows[:limit]
    shows(getattr(row.step and row.step.event, "employee_id", None) for row in shown)
    document = {
        "figure": figure,
        "definition": FIGURES[figure].definition,
        "value": value,
        "numbers": found,
        "part": name,
        "resource": part.resource,
        "items": behind_json(part.resource, shown),
        "total": found[name] if part.amount == "1" else None,
        "next": link_to(shown[-1].key) if len(shown) < len(rows) else None,
    }
    return answer(document)


def _row(
    conn: Connection[Any],
    parameters: Mapping[str, Any],
    resource: str,
    stream_id: UUID,
    key: Key,
) -> Answer:
    field = _field(resource, parameters["field"])
    explained = explain(conn, services().mapper, resource, stream_id, key)
    if explained is None:
        raise not_found(resource, str(key))
    wanted = [
        step
        for step in explained.steps
        if field is None or field in {change.field for change in step.changes}
    ]
    rest = [step for step in wanted if step.stored.id > (parameters["cursor"] or 0)]
    shown = rest[: parameters["limit"]]
    shows(getattr(step.event, "employee_id", None) for step in shown)
    following = link_to(str(shown[-1].stored.id)) if len(shown) < len(rest) else None
    return answer(
        row_json(resource, key, explained)
        | {"items": list(map(event_json, shown)), "total": len(wanted), "next": following}
    )


def _field(resource: str, field: str | None) -> str | None:
    known = {*RESOURCES[resource].row.__struct_fields__} - BOOKKEEPING
    if field is not None and field not in known:
        raise invalid([FieldError("field", f"must be one of {', '.join(sorted(known))}")])
    return field


def _part(figure: str, part: str | None) -> tuple[str, Part]:
    if figure not in FIGURES:
        raise not_found("figure", figure)
    parts = FIGURES[figure].parts
    name = next(iter(parts)) if part is None else part
    if name not in parts:
        raise invalid([FieldError("part", f"must be one of {', '.join(parts)}")])
    return name, parts[name]


def _scope(figure: str, parameters: Mapping[str, Any]) -> Scope:
    scope = Scope(**{name: parameters[name] for name in Scope.__slots__})
    known = FIGURES[figure].scopes
    given = [name for name, value in asdict(scope).items() if value is not None]
    foreign = [name for name in given if name not in known]
    if foreign:
        raise invalid([FieldError(name, "does not apply to this figure") for name in foreign])
    if known == ("employee_id",) and not given:
        raise invalid([FieldError("employee_id", "is required")])
    return scope
