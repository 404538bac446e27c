"""Which web pages of other origins may call the API (CORS). None, unless they are named."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from flask import Flask, Response, request
from flask_cors import CORS

SENT = ("Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "Prefer")
SHOWN = (
    "Content-Disposition",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Rollbook-As-Of",
    "Rollbook-Held-Up",
    "Rollbook-Known-At",
    "X-Request-Id",
)
OWN = ("Rollbook-At-Least", "Rollbook-Position")
REMEMBERED_SECONDS = 600


def let_in(app: Flask, origins: Sequence[str]) -> None:
    """Let pages of `origins` call `app`, with a token of theirs; never with cookies."""
    if not origins:
        return
    CORS(
        app,
        origins=list(origins),
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[*SENT, *OWN, "X-Request-Id", "traceparent"],
        expose_headers=[*SHOWN, *OWN],
        max_age=REMEMBERED_SECONDS,
    )
    app.before_request(_answer_preflight)


def _answer_preflight() -> Response | None:
    # A browser asks without a token whether it may ask with one.
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return Response(status=HTTPStatus.NO_CONTENT)
    return None
