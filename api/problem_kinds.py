"""Every kind of problem there is, by its code: what it means, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from api.problems import status_of, title_of
from domain import (  # noqa: F401  # their errors
    bulk,
    enrollment,
    personal_record,
    program_code,
    signature,
    training,
    training_program,
)
from domain.errors import DomainError

OF_HTTP = {
    "unauthenticated": (HTTPStatus.UNAUTHORIZED, "There is no token, or not a good one."),
    "forbidden": (HTTPStatus.FORBIDDEN, "None of the caller's roles permits this."),
    "malformed_request": (HTTPStatus.BAD_REQUEST, "The request cannot be read."),
    "malformed_json": (HTTPStatus.BAD_REQUEST, "The body is not well-formed JSON."),
    "method_not_allowed": (
        HTTPStatus.METHOD_NOT_ALLOWED,
        "The path does not answer to this method.",
    ),
    "body_too_large": (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is larger than what is accepted.",
    ),
    "body_too_slow": (
        HTTPStatus.REQUEST_TIMEOUT,
        "The body took longer to come than is waited for.",
    ),
    "unsupported_media_type": (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The body is not said to be JSON.",
    ),
    "too_many_requests": (
        HTTPStatus.TOO_MANY_REQUESTS,
        "The caller, or the address, sent more requests than are answered in a minute.",
    ),
    "request_running": (
        HTTPStatus.CONFLICT,
        "The first request with this Idempotency-Key is still running.",
    ),
    "idempotency_key_reused": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "This Idempotency-Key came with another request before.",
    ),
    "tree_was_changed": (
        HTTPStatus.CONFLICT,
        "The tree over the log is not the one that was signed, so nothing more is signed.",
    ),
    "event_not_proven": (
        HTTPStatus.CONFLICT,
        "The log holds an event otherwise than the tree over it, so no bundle of it is made.",
    ),
    "out_of_time": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "A request of many rows took too long, and was ended between two of them.",
    ),
    "internal_error": (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something went wrong on the server's side.",
    ),
    "not_ready": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "This cannot be served yet: tables are missing, old, far behind the log, or being filled.",
    ),
    "overloaded": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "More was asked for at the same time than can be done.",
    ),
    "broken_off": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "A list as CSV or NDJSON ended before it was whole; this is its last line.",
    ),
    "position_not_reached": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The read tables did not reach the position in time.",
    ),
    "issuer_unavailable": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Those who vouch for callers do not answer.",
    ),
    "unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer in time."),
}
"""Those that are not a refusal of the domain."""

REMEDIES = {
    HTTPStatus.BAD_REQUEST: "Put the request right. Sent again as it is, it fails again.",
    HTTPStatus.UNAUTHORIZED: "Get a token, and send it as `Authorization: Bearer TOKEN`."
    " `WWW-Authenticate` says what was wrong with the one that was sent.",
    HTTPStatus.FORBIDDEN: "Ask whoever gives out roles, or let somebody do it who has the role.",
    HTTPStatus.NOT_FOUND: "Check the path and the id. What belongs to somebody else does not"
    " exist for you.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Use one of the methods in the header `Allow`.",
    HTTPStatus.CONFLICT: "Look at what it is about as it is now, and decide again.",
    HTTPStatus.PRECONDITION_FAILED: "Read it again, and repeat the change on what you then have.",
    HTTPStatus.REQUEST_TIMEOUT: "Send the same request again, faster, or less at a time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Send less at a time.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Send the body in a form that the description names.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Put the fields right that `errors` names.",
    HTTPStatus.TOO_MANY_REQUESTS: "Wait as many seconds as `Retry-After` says.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Tell whoever runs this the `trace_id`.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Send the same request again after as many seconds as"
    " `Retry-After` says.",
}


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """What all problems with one code have in common."""

    code: str
    status: HTTPStatus
    meaning: str

    @property
    def title(self) -> str:
        """The heading of such problems."""
        return title_of(self.code)

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES[self.status]


def problem_kinds() -> list[ProblemKind]:
    """Return all kinds, by their codes."""
    of_http = (ProblemKind(code, *told) for code, told in OF_HTTP.items())
    of_domain = (
        ProblemKind(kind.code, status_of(kind), (kind.__doc__ or "").partition("\n")[0])
        for kind in _refusals(DomainError)
    )
    return sorted({*of_http, *of_domain}, key=lambda kind: kind.code)


def _refusals(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for narrower in kind.__subclasses__():
        yield narrower
        yield from _refusals(narrower)
