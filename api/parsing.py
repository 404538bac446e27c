"""Reads bodies and query parameters; what does not fit is refused by field and rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

import msgspec
from flask import Request, request
from marshmallow import RAISE, Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from api.load import body_awaited
from api.merging import MERGE_PATCH
from api.problems import FieldError, Problem, ProblemError, invalid
from api.wire import JSON_TYPE

MAX_LARGE_BODY_BYTES = 4 * 1024 * 1024

MALFORMED = Problem(
    HTTPStatus.BAD_REQUEST,
    "malformed_json",
    "The body is not well-formed JSON in UTF-8 of bounded depth.",
    (FieldError("body", "must be well-formed JSON"),),
)
NOT_JSON = Problem(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported_media_type",
    "The body must be JSON, and say so: Content-Type: application/json.",
    (FieldError("Content-Type", "must be application/json"),),
)


# RFC 5789, section 2.2: the refusal of a patch names those that are understood.
NOT_A_PATCH = replace(
    NOT_JSON,
    detail=f"The body must be a merge patch, and say so: Content-Type: {MERGE_PATCH}.",
    errors=(FieldError("Content-Type", f"must be {MERGE_PATCH}"),),
    headers={"Accept-Patch": f"{MERGE_PATCH}, {JSON_TYPE}"},
)


class StrictParser(FlaskParser):
    """Parses the JSON body; nothing is guessed, and nothing passed over."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE}  # noqa: RUF012  # as webargs has it

    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ARG002  # webargs' signature
        """Return the body; an empty one says nothing, as `{}`."""
        with body_awaited():
            body = req.get_data(cache=True)
        if not body:
            return {}
        _refuse_cut_off(req, body)
        _require_json(req)
        try:
            return msgspec.json.decode(body)
        except (ValueError, RecursionError):
            raise ProblemError(MALFORMED) from None

    def handle_error(
        self,
        error: ValidationError,
        req: Request,  # noqa: ARG002  # webargs' signature
        schema: Schema,  # noqa: ARG002
        *,
        error_status_code: int | None,  # noqa: ARG002
        error_headers: Mapping[str, str] | None,  # noqa: ARG002
    ) -> NoReturn:
        """Refuse with every field that broke a rule."""
        by_location: Any = error.messages
        broken: list[FieldError] = []
        for location, messages in by_location.items():
            is_query = location == "query"
            broken += _of_parameters(messages) if is_query else broken_rules(messages)
        raise invalid(broken)


def _require_utf8(query: bytes) -> None:
    """Refuse other bytes, in place of which Flask would put a sign of its own."""
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        raise invalid([FieldError("query", "must be UTF-8")]) from None


def _require_json(req: Request) -> None:
    if req.mimetype == JSON_TYPE:
        return
    if req.method != "PATCH":
        raise ProblemError(NOT_JSON)
    if req.mimetype != MERGE_PATCH:
        raise ProblemError(NOT_A_PATCH)


def _refuse_cut_off(req: Request, body: bytes) -> None:
    # A server may end a body of unknown length at the limit instead of refusing it.
    is_full = req.max_content_length is not None and len(body) >= req.max_content_length
    if req.content_length is None and is_full:
        raise RequestEntityTooLarge


def with_larger_body(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let `view` take up to `MAX_LARGE_BODY_BYTES`."""

    @wraps(view)
    def larger(*args: Any, **ids: Any) -> Any:
        request.max_content_length = MAX_LARGE_BODY_BYTES
        return view(*args, **ids)

    return larger


def query_reader(schema: Schema) -> Callable[[], dict[str, Any]]:
    """Return what reads the parameters of the present request.

    It raises a 422 problem with every parameter that breaks a rule.
    """
    taken = schema.fields
    required = {name for name, field in taken.items() if field.required}
    # A schema looks at every parameter that is not given too; that is done here once for all.
    absent = schema.load({}, partial=required)

    def read() -> dict[str, Any]:
        _require_utf8(request.query_string)
        given = dict(_values(request, schema)) if request.args else {}
        with suppress(ValidationError):
            if required <= given.keys() <= taken.keys():
                found = {name: taken[name].deserialize(v, name, given) for name, v in given.items()}
                return {**absent, **found}
        try:
            # It tells all that is wrong at once.
            return dict(schema.load(given))
        except ValidationError as error:
            raise invalid(list(_of_parameters(error.messages))) from None

    return read


def refuse_parameters(req: Request) -> None:
    """Refuse any query parameter, for endpoints that take none."""
    if req.args:
        raise invalid([FieldError(name, "is not known here") for name in req.args])


def _values(req: Request, schema: Schema) -> Iterator[tuple[str, str | list[str]]]:
    """Yield the parameters; one that takes several values may be repeated."""
    for name, given in req.args.lists():
        field = schema.fields.get(name)
        if isinstance(field, fields.List):
            has_commas = getattr(field, "has_commas", False)
            yield name, ([w for v in given for w in v.split(",")] if has_commas else given)
        elif len(given) > 1:
            raise invalid([FieldError(name, "must be given once")])
        else:
            yield name, given[0]


def _of_parameters(messages: Any) -> Iterator[FieldError]:
    """Return the rules that are broken, each under the parameter's name as the caller wrote it.

    The values of one may be counted differently from how they were written.
    """
    for name, inner in messages.items():
        for rule in dict.fromkeys(error.rule for error in broken_rules(inner)):
            yield FieldError(name, rule)


def broken_rules(messages: Any, path: str = "") -> Iterator[FieldError]:
    """Return the rules that are broken by `messages`, those of a marshmallow error."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            own = path if name == "_schema" else f"{path}.{name}".lstrip(".")
            yield from broken_rules(inner, own)
    else:
        for rule in messages:
            yield FieldError(path or "body", rule)
