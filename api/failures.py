"""From whatever was raised to the problem that the caller sees, and never more than that."""

from __future__ import annotations

import logging
from http import HTTPStatus

import psycopg
import psycopg_pool
from eventsourcing import persistence
from flask import Flask, request
from werkzeug.exceptions import HTTPException

from api.correlation import trace_id
from api.problems import RETRY_SECONDS, Problem, ProblemError, problem_of
from api.wire import PROBLEM_TYPE, Answer, answer
from directory.erasing import PersonErasedError
from domain.errors import DomainError
from domain.personal_record import EmployeeErasedError

logger = logging.getLogger(__name__)

DETAILS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this path.",
    HTTPStatus.TOO_MANY_REQUESTS: "This is more than is answered in a minute. Try again later.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This path does not answer to this method.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than what is accepted here.",
}
CODES = {
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body_too_large",
    HTTPStatus.BAD_REQUEST: "malformed_request",
    HTTPStatus.TOO_MANY_REQUESTS: "too_many_requests",
}
# Each of these says that the database cannot do it now, and nothing about the request.
UNAVAILABLE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg_pool.PoolTimeout,
    psycopg_pool.PoolClosed,
    psycopg_pool.TooManyRequests,
    persistence.OperationalError,
    persistence.InterfaceError,
)

NO_DATABASE = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable",
    "The database does not answer in time. Try again.",
    headers={"Retry-After": str(RETRY_SECONDS)},
)
INTERNAL = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal_error",
    "Something went wrong on this side. It was logged under the trace_id.",
)


FAILED_AHEAD = "rollbook.failed_ahead"
"""Under this name a request's environment (PEP 3333) has what it failed with ahead of Flask."""


def failed_ahead() -> Exception | None:
    """Return what the present request failed with before Flask was given it."""
    found: Exception | None = request.environ.get(FAILED_AHEAD)
    return found


def fail_as_ahead() -> None:
    """Raise what the present request failed with ahead, once it is known who is to be told."""
    failure = failed_ahead()
    if failure is not None:
        raise failure


def answer_failures(app: Flask) -> None:
    """Let every error of `app` end as a problem document."""
    kind = app.response_class
    app.register_error_handler(HTTPException, lambda error: respond(_of_http(error)).response(kind))
    app.register_error_handler(Exception, lambda error: respond_to(error).response(kind))


def respond(problem: Problem) -> Answer:
    """Return the response that tells `problem`."""
    document = problem.document(trace_id())
    return answer(document, problem.status, headers=problem.headers, media_type=PROBLEM_TYPE)


def _of_http(error: HTTPException) -> Problem:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return INTERNAL
    kept = {name: value for name, value in error.get_headers() if name == "Allow"}
    code = CODES.get(status, CODES[HTTPStatus.BAD_REQUEST])
    return Problem(status, code, DETAILS.get(status, f"{status.phrase}."), headers=kept)


def respond_to(error: Exception) -> Answer:
    """Return the response to an error that says nothing about the request, and log it."""
    return respond(problem_with(error))


def problem_with(error: Exception) -> Problem:
    """Return how any error is told to the caller; one that nobody expected is logged."""
    if isinstance(error, ProblemError):
        return error.problem
    if isinstance(error, DomainError):
        return problem_of(error)
    if isinstance(error, PersonErasedError):
        return problem_of(EmployeeErasedError(error.employee_id))
    if isinstance(error, UNAVAILABLE):
        logger.warning("database unavailable: %s (%s)", type(error).__name__, trace_id())
        return NO_DATABASE
    logger.error("request failed (%s)", trace_id(), exc_info=error)
    return INTERNAL
