"""Enrollments over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from marshmallow import Schema

from api.acts import ActBody, ReasonedBody, act_of
from api.answering import command_answer, folded
from api.clock import today
from api.enrollment_reads import enrollments
from api.enrollment_shapes import (
    CompleteBody,
    CorrectBody,
    EnrollBody,
    EnrollmentShape,
    FailBody,
    ProgressBody,
    enrollment_json,
)
from api.ownership import require_own_enrollment, who_enrolls
from api.services import services
from api.wire import Answer, Answered
from domain.enrollment import Enrollment
from domain.permissions import Permission
from domain.signature import Signing
from domain.training import Receipt
from projections.enrollment_evolving import evolve

__all__ = ["enrollments"]


@enrollments.command(
    "POST",
    "/enrollments",
    Permission.ENROLL,
    body=EnrollBody,
    answers={HTTPStatus.CREATED: EnrollmentShape},
)
def enroll(body: Mapping[str, Any]) -> Answer:
    """Enroll an employee in a program.

    Answers with the status `enrolled`, or `waitlisted` when all places are taken.
    """
    employee_id, source = who_enrolls(body["employee_id"])
    receipt = services().training.enroll(
        body["program_id"], employee_id, act_of(body), source, body["due_on"]
    )
    location = f"{enrollments.url_prefix}/enrollments/{receipt.subject.id}"
    return _answer(receipt, HTTPStatus.CREATED, location)


def _action(
    name: str, permission: Permission, body: type[Schema]
) -> Callable[[Callable[..., Answer]], Callable[..., Answered]]:
    return enrollments.command(
        "POST",
        f"/enrollments/<id:enrollment_id>/{name}",
        permission,
        body=body,
        answers={HTTPStatus.OK: EnrollmentShape},
    )


@_action("progress", Permission.RECORD_PROGRESS, ProgressBody)
def record_progress(body: Mapping[str, Any], enrollment_id: UUID) -> Answer:
    """Record how far an employee is."""
    receipt = services().training.record_progress(
        enrollment_id, act_of(body), body["percent"], body["score_percent"], body["note"]
    )
    return _answer(receipt)


@_action("correct", Permission.CORRECT, CorrectBody)
def correct_progress(body: Mapping[str, Any], enrollment_id: UUID) -> Answer:
    """Put a wrong progress right, up or down."""
    act = act_of(body)
    return _answer(services().training.correct_progress(enrollment_id, act, body["percent"]))


@_action("complete", Permission.RECORD_PROGRESS, CompleteBody)
def complete(body: Mapping[str, Any], enrollment_id: UUID) -> Answer:
    """End an enrollment with success.

    Issues the certificate where the program does so by itself.
    """
    signature = body["signature"]
    receipt = services().training.complete(
        enrollment_id,
        act_of(body),
        body["score_percent"],
        body["grade"],
        signing=Signing(**signature) if signature else None,
    )
    return _answer(receipt)


@_action("fail", Permission.RECORD_PROGRESS, FailBody)
def fail(body: Mapping[str, Any], enrollment_id: UUID) -> Answer:
    """End an enrollment without success."""
    return _answer(services().training.fail(enrollment_id, act_of(body), body["score_percent"]))


@_action("withdraw", Permission.ENROLL, ActBody)
def withdraw(body: Mapping[str, Any], enrollment_id: UUID) -> Answer:
    """End an enrollment before its end; a free place goes to the first who waits."""
    require_own_enrollment(enrollment_id)
    return _answer(services().training.withdraw(enrollment_id, act_of(body)))


@_action("void", Permission.CORRECT, ReasonedBody)
def void_completion(body: Mapping[str, Any], enrollment_id: UUID) -> Answer:
    """Undo a completion recorded in error; its certificate is revoked."""
    return _answer(services().training.void_completion(enrollment_id, act_of(body)))


def _answer(
    receipt: Receipt[Enrollment],
    status: HTTPStatus = HTTPStatus.OK,
    location: str | None = None,
) -> Answer:
    row = folded(receipt.subject, evolve)
    return command_answer(receipt, enrollment_json(row, today()), status, location)
