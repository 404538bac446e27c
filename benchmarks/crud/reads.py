"""Lists and single resources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, current_app, jsonify, request
from marshmallow import Schema
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from benchmarks.crud.models import STATUSES, Certificate, Enrollment, Program
from benchmarks.crud.schemas import (
    CertificateQuery,
    CertificateSchema,
    EnrollmentQuery,
    ProgramQuery,
    ProgramSchema,
    ShownCertificate,
    ShownEnrollment,
)
from benchmarks.crud.tokens import requires

PROGRAM, PROGRAMS, PROGRAM_QUERY = ProgramSchema(), ProgramSchema(many=True), ProgramQuery()
ENROLLMENT, ENROLLMENT_QUERY = ShownEnrollment(), EnrollmentQuery()
ENROLLMENTS = ShownEnrollment(many=True)
CERTIFICATE, CERTIFICATE_QUERY = ShownCertificate(), CertificateQuery()
CERTIFICATES = CertificateSchema(many=True)

reads = Blueprint("reads", __name__)
readers = requires("hr_admin", "auditor")


@reads.get("/programs")
@readers
def list_programs() -> Response:
    """Programs by title, with the counts of their enrollments."""
    asked = PROGRAM_QUERY.load(request.args)
    with _session() as session:
        found, total = _page(session, Program, asked, [Program.title, Program.id])
        _count_enrollments(session, found)
        return _list(PROGRAMS, found, total)


@reads.get("/programs/<uuid:program_id>")
@readers
def show_program(program_id: UUID) -> Response:
    """One program."""
    with _session() as session:
        program = session.get(Program, program_id) or abort(404)
        _count_enrollments(session, [program])
        return jsonify(PROGRAM.dump(program))


@reads.get("/enrollments")
@readers
def list_enrollments() -> Response:
    """Enrollments, the newest first."""
    asked = ENROLLMENT_QUERY.load(request.args)
    beside = [joinedload(Enrollment.program), joinedload(Enrollment.employee)]
    with _session() as session:
        order = [Enrollment.began_at.desc(), Enrollment.id.desc()]
        found, total = _page(session, Enrollment, asked, order, beside)
        return _list(ENROLLMENTS, found, total)


@reads.get("/enrollments/<uuid:enrollment_id>")
@readers
def show_enrollment(enrollment_id: UUID) -> Response:
    """One enrollment."""
    beside = [joinedload(Enrollment.program), joinedload(Enrollment.employee)]
    with _session() as session:
        found = session.get(Enrollment, enrollment_id, options=beside) or abort(404)
        return jsonify(ENROLLMENT.dump(found))


@reads.get("/certificates")
@readers
def list_certificates() -> Response:
    """Certificates, the newest first."""
    asked = CERTIFICATE_QUERY.load(request.args)
    beside = [joinedload(Certificate.program), joinedload(Certificate.employee)]
    with _session() as session:
        order = [Certificate.issued_at.desc(), Certificate.number.desc()]
        found, total = _page(session, Certificate, asked, order, beside)
        return _list(CERTIFICATES, found, total)


@reads.get("/certificates/<number>")
@readers
def show_certificate(number: str) -> Response:
    """One certificate."""
    wanted = (Certificate.program, Certificate.employee, Certificate.enrollment)
    with _session() as session:
        beside = [joinedload(one) for one in wanted]
        found = session.get(Certificate, number, options=beside) or abort(404)
        return jsonify(CERTIFICATE.dump(found))


def _session() -> Session:
    session: Session = current_app.config["SESSIONS"]()
    return session


def _page(
    session: Session,
    model: type[Any],
    asked: Mapping[str, Any],
    order: Sequence[Any],
    beside: Sequence[Any] = (),
) -> tuple[Sequence[Any], int]:
    columns: Mapping[str, InstrumentedAttribute[Any]] = {
        name: getattr(model, name) for name in asked if name not in ("limit", "offset")
    }
    conditions = [column == asked[name] for name, column in columns.items()]
    query = select(model).where(*conditions).options(*beside).order_by(*order)
    found = session.scalars(query.limit(asked["limit"]).offset(asked["offset"])).all()
    total = session.scalar(select(func.count()).select_from(model).where(*conditions))
    return found, total or 0


def _count_enrollments(session: Session, programs: Sequence[Program]) -> None:
    query = (
        select(Enrollment.program_id, Enrollment.status, func.count())
        .where(Enrollment.program_id.in_([program.id for program in programs]))
        .group_by(Enrollment.program_id, Enrollment.status)
    )
    counts: dict[UUID, dict[str, int]] = defaultdict(lambda: dict.fromkeys(STATUSES, 0))
    for program_id, status, count in session.execute(query):
        counts[program_id][status] = count
    for program in programs:
        program.enrollment_counts = counts[program.id]  # type: ignore[misc]  # shown with it


def _list(schema: Schema, found: Sequence[Any], total: int) -> Response:
    return jsonify(items=schema.dump(found), total=total)
