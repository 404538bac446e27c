"""The API describes itself: what operations have besides their own fields."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import INCLUDE, Schema, fields

from api.at_least import AT_LEAST, MAX_WAIT_SECONDS, WAIT_SECONDS
from api.conditions import IF_MATCH, IF_NONE_MATCH
from api.idempotency import KEY, KEY_PATTERN, MAX_KEY_LENGTH
from api.reading import AS_OF, KNOWN_AT
from api.shapes import Shape, given

TITLE = "Rollbook"
VERSION = "0.1.0"
BEARER = "bearer"
ABOUT = """Employee training, kept as an append-only log of facts.

Every list answers `items`, `total` and `next`. Every error is a problem document (RFC 9457)
that names the fields and the rules they break. A command answers with `Rollbook-Position`;
a read that is sent with `Rollbook-At-Least` shows at least that position.
"""

POSITION_HEADER = {
    "description": "A position in the log: what this command recorded, or what this read shows.",
    "schema": {"type": "integer"},
}
ETAG_HEADER = {
    "description": "The version, to be sent back as `If-Match` with a write that relies on it.",
    "schema": {"type": "string"},
}
TIME_HEADERS = {
    AS_OF: {
        "description": "The effective time that the answer is as of, where one was asked for.",
        "schema": {"type": "string", "format": "date-time"},
    },
    KNOWN_AT: {
        "description": "The recorded time as known at which it is, where one was asked for.",
        "schema": {"type": "string", "format": "date-time"},
    },
}
HELD_UP_HEADER = {
    "description": (
        "The keys of shown rows that may be out of date: an event that could not be applied to"
        " them waits for a repair. Not there when all is well."
    ),
    "schema": {"type": "string"},
}
LOCATION_HEADER = {"description": "Where the new one is.", "schema": {"type": "string"}}

READ_PARAMETERS: list[dict[str, Any]] = [
    {
        "in": "header",
        "name": AT_LEAST,
        "description": "Wait until the read tables are at this position.",
        "schema": {"type": "integer", "minimum": 0},
    },
    {
        "in": "header",
        "name": "Prefer",
        "description": (
            f"`wait=SECONDS`: how long to wait for it, {WAIT_SECONDS:g} where nothing is said,"
            f" {MAX_WAIT_SECONDS} at most."
        ),
        "schema": {"type": "string"},
    },
]

STATE_ETAG_HEADER = {
    "description": "What is shown, to be sent back as `If-None-Match` to ask whether it changed.",
    "schema": {"type": "string"},
}
HELD_PARAMETER: dict[str, Any] = {
    "in": "header",
    "name": IF_NONE_MATCH,
    "description": "ETags of what is held already; it is not sent again while one is the present.",
    "schema": {"type": "string"},
}
LIST_FORMATS: dict[str, Any] = {
    "text/csv": {"schema": {"type": "string"}},
    "application/x-ndjson": {"schema": {"type": "string"}},
}

CONDITION_PARAMETERS: list[dict[str, Any]] = [
    {
        "in": "header",
        "name": IF_MATCH,
        "description": "Do it only while the resource has one of these ETags; `*`: if it exists.",
        "schema": {"type": "string"},
    },
    {
        "in": "header",
        "name": IF_NONE_MATCH,
        "description": "`*`: do it only while there is no such resource.",
        "schema": {"type": "string", "enum": ["*"]},
    },
]

KEY_PARAMETER: dict[str, Any] = {
    "in": "header",
    "name": KEY,
    "description": (
        "A name of the caller's own for this request, such as a UUID. Whoever repeats the request"
        " within 24 hours gets the first answer, marked `Idempotency-Replayed: true`."
    ),
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_KEY_LENGTH,
        "pattern": f"^{KEY_PATTERN}$",
    },
}
REPLAYED_HEADER = {
    "description": "`true` where an earlier request with the Idempotency-Key got this answer.",
    "schema": {"type": "string", "enum": ["true"]},
}

FAILURES = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read.",
    HTTPStatus.UNAUTHORIZED: "There is no token, or not a good one.",
    HTTPStatus.FORBIDDEN: "None of the caller's roles permits this.",
    HTTPStatus.NOT_FOUND: "There is no such thing, or none that this caller may see.",
    HTTPStatus.CONFLICT: "The rules refuse it in the present state.",
    HTTPStatus.PRECONDITION_FAILED: "The resource has another version; its ETag is answered.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not come in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not said to be JSON.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "An input breaks a rule.",
    HTTPStatus.TOO_MANY_REQUESTS: "These are more requests than are answered in a minute.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong on this side.",
    HTTPStatus.SERVICE_UNAVAILABLE: "It cannot be done now; try again.",
}
OF_COMMANDS = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
OF_CALLERS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class FieldErrorShape(Shape):
    """One broken rule."""

    field = given(fields.String, "The input, as `certification.title`.")
    rule = given(fields.String)
    message = given(fields.String, "The same as a sentence.")


class ProblemShape(Schema):
    """What went wrong; further members hold the ids and limits it is about."""

    class Meta:  # noqa: D106  # marshmallow's place for options
        unknown = INCLUDE

    type = given(fields.String, "A page about this code.")
    title = given(fields.String)
    status = given(fields.Integer)
    detail = given(fields.String, "What happened, in a sentence.")
    code = given(fields.String, "What happened, in a word that stays the same.")
    errors = fields.List(fields.Nested(FieldErrorShape), required=True)
    trace_id = given(fields.String, "The id of the request's trace, else its X-Request-Id.")


class DescribingPlugin(MarshmallowPlugin):
    """Describes fields as apispec does, and where several values stand with commas between."""

    def init_spec(self, spec: APISpec) -> None:
        """Begin with `spec`."""
        super().init_spec(spec)
        if self.converter is not None:
            self.converter.add_parameter_attribute_function(_separated)


def _separated(_: object, field: fields.Field[Any], **__: object) -> dict[str, Any]:
    return {"explode": False} if getattr(field, "is_separated", False) else {}


def name_of(schema: type[Schema] | Schema) -> str:
    """Return the name of a schema in the description."""
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Shape")


def failures(
    *, is_command: bool, is_public: bool, is_conditional: bool, can_conflict: bool
) -> dict[HTTPStatus, str]:
    """Return the statuses with which an operation may fail, and what each means."""
    left_out = (() if is_command else OF_COMMANDS) + (OF_CALLERS if is_public else ())
    left_out += () if is_conditional else (HTTPStatus.PRECONDITION_FAILED,)
    left_out += () if can_conflict else (HTTPStatus.CONFLICT,)
    return {status: note for status, note in FAILURES.items() if status not in left_out}
