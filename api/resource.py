"""A resource's endpoints: each says at once who may call it, what it takes and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import request
from flask_smorest import Blueprint  # type: ignore[import-untyped]
from marshmallow import Schema

from api.access import Public, declares
from api.acts import ActBody
from api.command_spans import traced_command
from api.description import (
    BEARER,
    CONDITION_PARAMETERS,
    ETAG_HEADER,
    HELD_PARAMETER,
    HELD_UP_HEADER,
    KEY_PARAMETER,
    LIST_FORMATS,
    LOCATION_HEADER,
    POSITION_HEADER,
    READ_PARAMETERS,
    REPLAYED_HEADER,
    STATE_ETAG_HEADER,
    TIME_HEADERS,
    ProblemShape,
    failures,
)
from api.etags import ETAG
from api.idempotency import REPLAYED, answered_once
from api.merging import MERGE_PATCH
from api.moments import StreamOf, asking, of_the_past
from api.parsing import StrictParser, query_reader, refuse_parameters, with_larger_body
from api.reading import HELD_UP, showing
from api.shown import POSITION
from api.wire import JSON_TYPE, PROBLEM_TYPE, Answer, Answered
from domain.permissions import PERMITTED, Permission, Scope
from projections.histories import is_followed
from projections.table import ReadTable

Endpoint = Callable[..., Answered]
Command = Callable[..., Answer]

PREFIX = "/api/hr/training"

_INFO = "rollbook"


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """An answer that is not a document of JSON, but text of this media type."""

    media_type: str


Answers = Mapping[HTTPStatus, type[Schema] | TextAnswer | None]


class Resource(Blueprint):  # type: ignore[misc]  # smorest has no types
    """A blueprint whose endpoints cannot forget to say who may call them."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, about: str, prefix: str = PREFIX) -> None:
        """Stand under `prefix`, described as `about`."""
        super().__init__(name, __name__, url_prefix=prefix, description=about)
        self._prepare_doc_cbks.append(_describe)

    def query(
        self,
        path: str,
        permission: Permission,
        *,
        answer: type[Schema] | TextAnswer,
        tables: Sequence[ReadTable[Any]] = (),
        parameters: type[Schema] | None = None,
        stream_of: StreamOf | None = None,
        is_cached: bool = False,
        can_conflict: bool = False,
    ) -> Callable[[Endpoint], Endpoint]:
        """Answer GET `path` from `tables`: the function takes a connection, `parameters`, ids.

        What is answered from tables with a history can be asked as of the past; where
        `stream_of` tells from the ids whose versions are meant, also as of a version. What
        `is_cached` shows the tables and the directory of employees and nothing else;
        `can_conflict` says that the state of the log may refuse the answer.
        """

        def register(view: Endpoint) -> Endpoint:
            names = tuple(table.name for table in tables)
            endpoint, taken = showing(names, is_cached=is_cached)(view), parameters
            if tables and all(map(is_followed, tables)):
                endpoint = asking(permission, stream_of, has_parameters=bool(parameters))(endpoint)
                taken = of_the_past(parameters, stream_of)
            endpoint = self._with_parameters(endpoint, taken)
            answers: Answers = {HTTPStatus.OK: answer}
            if is_cached or _has_version(answer):
                answers = {HTTPStatus.OK: answer, HTTPStatus.NOT_MODIFIED: None}
            has_position = bool(tables)
            return self._register(
                "GET",
                path,
                permission,
                endpoint,
                answers,
                has_position=has_position,
                can_conflict=can_conflict,
            )

        return register

    def command(
        self,
        method: str,
        path: str,
        permission: Permission,
        *,
        answers: Answers,
        body: type[Schema] = ActBody,
        is_recorded: bool = True,
        in_parts: bool = False,
    ) -> Callable[[Command], Endpoint]:
        """Answer `method` on `path` by a command: the function takes the `body` and ids.

        `is_recorded` says whether it writes to the log, and so has a position; `in_parts` that
        it takes a larger body, and does it in parts, for each of which it minds the key itself.
        """

        def register(view: Command) -> Endpoint:
            is_optional = not any(f.required for f in body().fields.values())
            once = answered_once(view) if method == "POST" and not in_parts else view
            endpoint: Endpoint = traced_command(once)
            media_type = MERGE_PATCH if method == "PATCH" else JSON_TYPE
            endpoint = self.arguments(body(), required=not is_optional, content_type=media_type)(
                endpoint
            )
            endpoint = self._with_parameters(endpoint, None)
            endpoint = with_larger_body(endpoint) if in_parts else endpoint
            return self._register(
                method, path, permission, endpoint, answers, has_position=is_recorded
            )

        return register

    def open(
        self, path: str, *, answer: type[Schema] | TextAnswer
    ) -> Callable[[Endpoint], Endpoint]:
        """Answer GET `path` to anybody, without a token."""

        def register(view: Endpoint) -> Endpoint:
            endpoint = self._with_parameters(view, None)
            return self._register("GET", path, Public.ANYBODY, endpoint, {HTTPStatus.OK: answer})

        return register

    def _describing(
        self,
        status: HTTPStatus,
        schema: type[Schema] | TextAnswer | None,
        headers: Mapping[str, Any],
    ) -> Callable[[Endpoint], Endpoint]:
        media_type = None
        if isinstance(schema, TextAnswer):
            media_type, schema = schema.media_type, {"type": "string"}  # type: ignore[assignment]
        describing: Callable[[Endpoint], Endpoint] = self.response(
            status, schema, content_type=media_type, headers=headers
        )
        return describing

    def _with_parameters(self, view: Endpoint, parameters: type[Schema] | None) -> Endpoint:
        if parameters is not None:
            schema = parameters()
            read = query_reader(schema)

            @wraps(view)
            def with_parameters(**ids: Any) -> Answered:
                return view(read(), **ids)

            described = self.arguments(schema, location="query")(view)
            with_parameters._apidoc = described._apidoc  # type: ignore[attr-defined]  # noqa: SLF001
            return with_parameters

        @wraps(view)
        def without_parameters(*args: Any, **ids: Any) -> Answered:
            refuse_parameters(request)
            return view(*args, **ids)

        return without_parameters

    def _register(
        self,
        method: str,
        path: str,
        access: Permission | Public,
        view: Endpoint,
        answers: Answers,
        *,
        has_position: bool = False,
        can_conflict: bool = False,
    ) -> Endpoint:
        described = view
        for status, schema in answers.items():
            headers = _headers(status, schema, has_position=has_position)
            if method == "POST":
                headers[REPLAYED] = REPLAYED_HEADER
            if has_position and method == "GET":
                headers |= TIME_HEADERS | {HELD_UP: HELD_UP_HEADER}
            described = self._describing(status, schema, headers)(described)
        is_command = method != "GET"
        is_public = access is Public.ANYBODY
        # A path without an id names no resource that has a version.
        is_conditional = is_command and "<" in path
        described_failures = failures(
            is_command=is_command,
            is_public=is_public,
            is_conditional=is_conditional,
            can_conflict=is_command or can_conflict,
        )
        for status, note in described_failures.items():
            described = self.alt_response(
                status, schema=ProblemShape, content_type=PROBLEM_TYPE, description=note
            )(described)
        info = {
            "name": view.__name__,
            "is_public": is_public,
            "for": _for(access),
            "waits": has_position and not is_command,
            "is_conditional": is_conditional,
            "is_keyed": method == "POST",
            "is_cached": HTTPStatus.NOT_MODIFIED in answers,
        }
        # The description alone is taken over: what else these do to a call is not needed.
        view._apidoc = described._apidoc | {_INFO: info}  # type: ignore[attr-defined]  # noqa: SLF001
        view = declares(access)(view)
        self.add_url_rule(path, view.__name__, view, methods=[method])
        return view


def _headers(
    status: HTTPStatus, schema: type[Schema] | TextAnswer | None, *, has_position: bool
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if has_position:
        headers[POSITION] = POSITION_HEADER
    if _has_version(schema):
        headers[ETAG] = ETAG_HEADER
    if has_position and status == HTTPStatus.CREATED:
        headers["Location"] = LOCATION_HEADER
    return headers


def _for(access: Permission | Public) -> str:
    if access is Public.ANYBODY:
        return "For anybody."
    words = {Scope.ALL: "{}", Scope.OWN: "{} (on one's own records)"}
    permitted = PERMITTED[access].items()
    return f"For {', '.join(words[scope].format(role) for role, scope in permitted)}."


def _describe(doc: dict[str, Any], doc_info: Mapping[str, Any], **_: object) -> dict[str, Any]:
    info = doc_info[_INFO]
    doc["operationId"] = info["name"]
    doc["description"] = "\n\n".join(filter(None, (doc.get("description"), info["for"])))
    if not info["is_public"]:
        doc["security"] = [{BEARER: []}]
    if info["waits"]:
        doc.setdefault("parameters", []).extend(READ_PARAMETERS)
    if info["is_cached"]:
        _describe_cached(doc)
    if any(
        "format" in getattr(one.get("schema"), "fields", ()) for one in doc.get("parameters", ())
    ):
        doc["responses"][HTTPStatus.OK]["content"] |= LIST_FORMATS
    media_types = doc.get("requestBody", {}).get("content", {})
    if MERGE_PATCH in media_types:
        media_types[JSON_TYPE] = media_types[MERGE_PATCH]
    if info["is_keyed"]:
        doc.setdefault("parameters", []).append(KEY_PARAMETER)
    if info["is_conditional"]:
        doc.setdefault("parameters", []).extend(CONDITION_PARAMETERS)
    return doc


def _describe_cached(doc: dict[str, Any]) -> None:
    doc.setdefault("parameters", []).append(HELD_PARAMETER)
    for status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
        doc["responses"][status].setdefault("headers", {}).setdefault(ETAG, STATE_ETAG_HEADER)


def _has_version(schema: type[Schema] | TextAnswer | None) -> bool:
    return isinstance(schema, type) and "version" in schema().fields
