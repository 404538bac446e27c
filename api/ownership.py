"""Holding employees to what is their own."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from api.access import caller
from api.problems import FieldError, Problem, ProblemError, invalid
from api.services import services
from domain.enrollment import EnrollmentNotFoundError, Source


def who_enrolls(employee_id: str | None) -> tuple[str, Source]:
    """Return whom the caller enrolls, and by which way.

    Who is held to oneself may leave the id out, and enrolls nobody else: that is a 403
    problem. Everybody else must name the employee.
    """
    own = caller().own_employee_id
    if own is None:
        if employee_id is None:
            raise invalid([FieldError("employee_id", "is required")])
        return employee_id, Source.ASSIGNED
    if employee_id not in {None, own}:
        detail = "An employee enrolls nobody else."
        raise ProblemError(
            Problem(
                HTTPStatus.FORBIDDEN,
                "forbidden",
                detail,
                [FieldError("employee_id", "must be the caller's own")],
            )
        )
    return own, Source.SELF


def require_own_enrollment(enrollment_id: UUID) -> None:
    """Raise `EnrollmentNotFoundError` when the caller is held to other records.

    It asks the log, since a read table may be behind. Whose an enrollment is never changes.
    """
    own = caller().own_employee_id
    if own is None:
        return
    first = next(iter(services().training.history(enrollment_id)), None)
    if first is None or getattr(first, "employee_id", None) != own:
        raise EnrollmentNotFoundError(enrollment_id)
