"""A span for each request: it joins the caller's trace (W3C Trace Context), if there is one.

Without tracing there are no spans; what the caller says of its trace is known all the same.
"""

from __future__ import annotations

from http import HTTPMethod, HTTPStatus

from flask import Flask, Response, g, request
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from api.observing import began, operation
from api.watching import is_watched

HEADER = "traceparent"
METHODS = frozenset(HTTPMethod)

_tracer = trace.get_tracer("rollbook.api")
_trace_context = TraceContextTextMapPropagator()


def trace_requests(app: Flask) -> None:
    """Give every request of `app` a span, but for those that watch over it.

    To be called first, so that it covers all else.
    """
    app.before_request(_begin)
    app.after_request(_end)


def request_span() -> Span:
    """Return the span of this request; one that is not valid without tracing and trace."""
    found: Span = g.get("span", trace.INVALID_SPAN)
    return found


def trace_id_of(span: Span) -> str | None:
    """Return the id of the trace that a span is part of, if it is part of one."""
    context = span.get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def traceparent(span: Span) -> str | None:
    """Return a span as a `traceparent` says it; None for one that nobody keeps."""
    if not span.is_recording():
        return None
    carrier: dict[str, str] = {}
    _trace_context.inject(carrier, trace.set_span_in_context(span))
    return carrier[HEADER]


def start(
    name: str,
    method: str,
    route: str | None,
    given: str | None = None,
    began_at: int | None = None,
) -> Span:
    """Start the span of a request for the operation `name`, in the trace that it was `given`.

    It begins now, or where it `began_at` so many nanoseconds after 1970.
    """
    joined = _trace_context.extract({HEADER: given}, Context()) if given else Context()
    span = _tracer.start_span(name, joined, SpanKind.SERVER, start_time=began_at)
    if span.is_recording():
        # Neither the path nor the query, which may name a person.
        span.set_attribute("http.request.method", method if method in METHODS else "_OTHER")
        if route is not None:
            span.set_attribute("http.route", route)
    return span


def end(span: Span, status: int) -> None:
    """End the span of a request that was answered with this status."""
    if span.is_recording():
        span.set_attribute("http.response.status_code", status)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            span.set_status(StatusCode.ERROR)
        span.end()


def _begin() -> None:
    if is_watched():
        return
    route = None if request.url_rule is None else request.url_rule.rule
    given, began_at = request.headers.get(HEADER), began(request.environ).nanoseconds_of_day
    g.span = start(operation(), request.method, route, given, began_at)


def _end(response: Response) -> Response:
    end(request_span(), response.status_code)
    return response
