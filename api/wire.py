"""From values to bytes."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from flask import Response

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"


def answer(
    payload: object,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    headers: Mapping[str, str] | None = None,
    media_type: str = JSON_TYPE,
) -> Response:
    """Return `payload` as JSON; times are written in UTC, decimals as strings."""
    body = msgspec.json.encode(payload)
    return Response(body, status, headers, content_type=media_type)
