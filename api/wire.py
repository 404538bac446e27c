"""From values to bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from flask import Response

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"


@dataclass(slots=True)
class Answer:
    """What a view answers, when it is all there: a twentieth of what a response takes to make."""

    body: bytes
    status: HTTPStatus
    headers: dict[str, str]

    def response(self, kind: type[Response]) -> Response:
        """Return the response of that kind that says so."""
        response = kind(self.body, self.status, self.headers)
        if "Content-Type" not in self.headers:
            response.headers.remove("Content-Type")
        return response


Answered = Answer | Response
"""What a view answers; what is streamed is a response."""


def answer(
    payload: object,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    headers: Mapping[str, str] | None = None,
    media_type: str = JSON_TYPE,
) -> Answer:
    """Return `payload` as JSON; times are written in UTC, decimals as strings."""
    body = msgspec.json.encode(payload)
    return Answer(body, status, {"Content-Type": media_type, **(headers or {})})
