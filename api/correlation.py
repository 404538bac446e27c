"""The id that ties a request, its answer, its log lines and its events together."""

from __future__ import annotations

import os
import re

import structlog
from flask import Flask, Response, g, request

from api.tracing import joined_trace_id, request_span, traceparent

HEADER = "X-Request-Id"

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
    return joined_trace_id() or correlation_id()


def _begin() -> None:
    # Both stand for those of the thread's last request.
    structlog.contextvars.bind_contextvars(correlation_id=correlation_id(), trace_id=trace_id())


def _choose() -> None:
    given = request.headers.get(HEADER, "")
    if _REQUEST_ID.fullmatch(given):
        g.correlation_id = given
        # Its events lead to no span then, but the span can be found by what they say.
        request_span().set_attribute("rollbook.correlation_id", given)
    else:
        g.correlation_id = traceparent() or joined_trace_id() or os.urandom(16).hex()


def _tell(response: Response) -> Response:
    response.headers[HEADER] = correlation_id()
    return response
