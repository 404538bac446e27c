"""Problems: every answer that is not a success has this one shape (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from http import HTTPStatus
from uuid import UUID

from api.etags import ETAG, etag_of
from domain.errors import (
    ContentionError,
    DomainError,
    InvalidValueError,
    NotFoundError,
    OutdatedError,
    StateError,
)

PROBLEM_PAGES = "/api/hr/training/problems"
RETRY_SECONDS = 1

STATUSES: Mapping[type[DomainError], HTTPStatus] = {
    InvalidValueError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFoundError: HTTPStatus.NOT_FOUND,
    StateError: HTTPStatus.CONFLICT,
    OutdatedError: HTTPStatus.PRECONDITION_FAILED,
    ContentionError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The one table of refusals and their HTTP statuses."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule: the input's name, as `certification.title`, and what it must be."""

    field: str
    rule: str

    @property
    def message(self) -> str:
        """The rule as a sentence."""
        return f"{self.field} {self.rule}."


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, for a person (`detail`) and for a program (`code`, `errors`, `facts`)."""

    status: HTTPStatus
    code: str
    detail: str
    errors: Sequence[FieldError] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self, trace_id: str) -> dict[str, object]:
        """Return the members of the problem document."""
        return {
            **self.facts,
            "type": f"{PROBLEM_PAGES}/{self.code}",
            "title": title_of(self.code),
            "status": int(self.status),
            "detail": self.detail,
            "code": self.code,
            "errors": [
                {"field": e.field, "rule": e.rule, "message": e.message} for e in self.errors
            ],
            "trace_id": trace_id,
        }


class ProblemError(Exception):
    """The request ends with `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def title_of(code: str) -> str:
    """Return the heading of all problems with `code`."""
    return code.replace("_", " ").capitalize()


def status_of(refusal: type[DomainError]) -> HTTPStatus:
    """Return the status with which refusals of this kind are answered."""
    return next(status for kind, status in STATUSES.items() if issubclass(refusal, kind))


def invalid(
    errors: Sequence[FieldError], status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
) -> ProblemError:
    """Return the refusal of inputs that break rules."""
    return ProblemError(
        Problem(status, "invalid_value", " ".join(e.message for e in errors), errors)
    )


def not_ready(detail: str) -> ProblemError:
    """Return the answer where the tables that it takes are not there yet."""
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return ProblemError(
        Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", detail, headers=headers)
    )


def not_found(kind: str, identifier: str) -> ProblemError:
    """Return the answer for what does not exist, or not for this caller.

    Its code is that with which commands on such a thing are refused, where there are any.
    """
    problem = problem_of(NotFoundError(kind, identifier))
    code = f"{kind}_not_found"
    if code in {refusal.code for refusal in NotFoundError.__subclasses__()}:
        return ProblemError(replace(problem, code=code))
    return ProblemError(problem)


def problem_of(error: DomainError) -> Problem:
    """Return how a refused command is told to the caller."""
    return Problem(
        status=status_of(type(error)),
        code=error.code,
        detail=str(error),
        errors=_field_errors(error),
        facts=dict(_facts(error)),
        headers=dict(_headers(error)),
    )


def _headers(error: DomainError) -> Iterator[tuple[str, str]]:
    if isinstance(error, ContentionError):
        yield "Retry-After", str(RETRY_SECONDS)
    if isinstance(error, OutdatedError) and error.current_version:
        yield ETAG, etag_of(error.current_version)


def _field_errors(error: DomainError) -> tuple[FieldError, ...]:
    if isinstance(error, InvalidValueError):
        return (FieldError(error.field or "", error.rule),)
    if error.field is not None:
        return (FieldError(error.field, "is refused in the present state"),)
    return ()


def _facts(error: DomainError) -> Iterator[tuple[str, object]]:
    for name, value in vars(error).items():
        if name in {"field", "rule"}:
            continue
        # The problem document has a status of its own.
        yield "current_status" if name == "status" else name, _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID | date) else value
