"""The id that ties a request, its answer, its log lines and its events together."""

from __future__ import annotations

import random
import re

import structlog
from flask import Flask, Response, g, request
from opentelemetry.trace import Span

from api.tracing import request_span, trace_id_of, traceparent

HEADER = "X-Request-Id"

# They need only differ. To ask the system for each would let go of the interpreter.
_ids = random.Random()  # noqa: S311

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


def correlate(app: Flask) -> None:
    """Give every request of `app` an id, and every answer its header."""
    app.before_request(_begin)
    app.after_request(_tell)


def correlation_id() -> str:
    """Return this request's id: the caller's own where it is well-formed.

    Else its span as a `traceparent` says it, so that its events lead to it; without one the id
    of the caller's trace, or a new id.
    """
    if "correlation_id" not in g:
        _choose()
    chosen: str = g.correlation_id
    return chosen


def trace_id() -> str:
    """Return the id of the trace that this request is part of; without one the request's id."""
    return trace_id_of(request_span()) or correlation_id()


def bind(span: Span, chosen: str) -> None:
    """Let log lines have the id that was `chosen` for the request of a span."""
    # Both stand for those of the thread's last request.
    structlog.contextvars.bind_contextvars(
        correlation_id=chosen, trace_id=trace_id_of(span) or chosen
    )


def forget() -> None:
    """Let log lines have no id, until it is known of which request they tell."""
    structlog.contextvars.clear_contextvars()


def _begin() -> None:
    bind(request_span(), correlation_id())


def _choose() -> None:
    g.correlation_id = chosen_for(request_span(), request.headers.get(HEADER, ""))


def chosen_for(span: Span, given: str) -> str:
    """Return the id of the request of a span, to which the caller has `given` that."""
    if _REQUEST_ID.fullmatch(given):
        # Its events lead to no span then, but the span can be found by what they say.
        span.set_attribute("rollbook.correlation_id", given)
        return given
    return traceparent(span) or trace_id_of(span) or f"{_ids.getrandbits(128):032x}"


def _tell(response: Response) -> Response:
    response.headers[HEADER] = correlation_id()
    return response
