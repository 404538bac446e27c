"""What changes an enrollment: one transaction each, under a row's lock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, abort, current_app, jsonify, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.crud.models import OPEN, SEATED, Certificate, Employee, Enrollment, Program
from benchmarks.crud.schemas import CompleteBody, EnrollBody, EnrollmentSchema, ProgressBody
from benchmarks.crud.tokens import requires

ENROLLMENT, ENROLL, PROGRESS, COMPLETE = (
    EnrollmentSchema(),
    EnrollBody(),
    ProgressBody(),
    CompleteBody(),
)

commands = Blueprint("commands", __name__)


@commands.post("/enrollments")
@requires("hr_admin")
def enroll() -> tuple[Response, int]:
    """Enroll, or put on the waiting list, as the seats allow."""
    body = ENROLL.load(request.get_json())
    with _transaction() as session:
        program = session.get(Program, body["program_id"], with_for_update=True) or abort(404)
        employee = session.get(Employee, body["employee_id"]) or abort(404)
        if program.status != "published" or not employee.active:
            abort(409)
        _refuse_twice(session, program.id, employee.id)
        now = datetime.now(UTC)
        has_seat = program.capacity is None or _seats_taken(session, program.id) < program.capacity
        enrollment = Enrollment(
            **body,
            status="enrolled" if has_seat else "waitlisted",
            source="assigned",
            department=employee.department,
            program_revision=program.revision,
            began_at=now,
            enrolled_at=now if has_seat else None,
            changed_at=now,
        )
        session.add(enrollment)
    return jsonify(ENROLLMENT.dump(enrollment)), 201


@commands.post("/enrollments/<uuid:enrollment_id>/progress")
@requires("hr_admin")
def record_progress(enrollment_id: UUID) -> Response:
    """Record how far an employee is."""
    body = PROGRESS.load(request.get_json())
    with _transaction() as session:
        enrollment = _open_enrollment(session, enrollment_id)
        if body["percent"] < enrollment.percent:
            abort(409)
        now = datetime.now(UTC)
        enrollment.status = "in_progress"
        enrollment.percent = body["percent"]
        enrollment.progress_score_percent = body["score_percent"]
        enrollment.started_at = enrollment.started_at or now
        enrollment.progressed_at = now
        _touch(enrollment, now)
    return jsonify(ENROLLMENT.dump(enrollment))


@commands.post("/enrollments/<uuid:enrollment_id>/complete")
@requires("hr_admin")
def complete(enrollment_id: UUID) -> Response:
    """End an enrollment with success, and issue its certificate."""
    body = COMPLETE.load(request.get_json())
    with _transaction() as session:
        enrollment = _open_enrollment(session, enrollment_id)
        program = session.get_one(Program, enrollment.program_id)
        now = datetime.now(UTC)
        enrollment.status = "completed"
        enrollment.percent = 100
        enrollment.score_percent = body["score_percent"]
        enrollment.grade = body["grade"]
        enrollment.started_at = enrollment.started_at or now
        enrollment.ended_at = now
        _touch(enrollment, now)
        if program.certification["offered"]:
            _certify(session, enrollment, program, now)
    return jsonify(ENROLLMENT.dump(enrollment))


def _transaction() -> Any:
    return current_app.config["SESSIONS"].begin()


def _open_enrollment(session: Session, enrollment_id: UUID) -> Enrollment:
    enrollment = session.get(Enrollment, enrollment_id, with_for_update=True) or abort(404)
    if enrollment.status not in OPEN:
        abort(409)
    return enrollment


def _refuse_twice(session: Session, program_id: UUID, employee_id: str) -> None:
    query = select(Enrollment.id).filter_by(program_id=program_id, employee_id=employee_id)
    if session.scalar(query) is not None:
        abort(409)


def _seats_taken(session: Session, program_id: UUID) -> int:
    query = select(func.count()).where(
        Enrollment.program_id == program_id, Enrollment.status.in_(SEATED)
    )
    return session.scalar(query) or 0


def _touch(enrollment: Enrollment, now: datetime) -> None:
    enrollment.version += 1
    enrollment.changed_at = now


def _certify(session: Session, enrollment: Enrollment, program: Program, now: datetime) -> None:
    number = f"C-{uuid4().hex[:20].upper()}"
    enrollment.certificate_number = number
    session.add(
        Certificate(
            number=number,
            enrollment_id=enrollment.id,
            program_id=program.id,
            employee_id=enrollment.employee_id,
            title=program.certification["title"] or program.title,
            valid_from=now.date(),
            valid_until=None,
            issued_at=now,
            changed_at=now,
        )
    )
