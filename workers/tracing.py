"""A span for each batch of events, linked to the requests that the events came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from projections.fold import Entry
from projections.unreadable import Unreadable

MAX_LINKS = 128
"""As many as the SDK keeps of a span, if it is not told otherwise."""

_tracer = trace.get_tracer("rollbook.projector")
_trace_context = TraceContextTextMapPropagator()


def begin_span(entries: Sequence[Entry], tables: Sequence[str]) -> Span:
    """Return a span, begun now, that tells which events `tables` take in.

    It links to the first `MAX_LINKS` requests among those of the events.
    """
    span = _tracer.start_span("project", Context(), SpanKind.CONSUMER)
    if span.is_recording():
        span.set_attribute("rollbook.first_position", entries[0][0])
        span.set_attribute("rollbook.last_position", entries[-1][0])
        span.set_attribute("rollbook.events", len(entries))
        span.set_attribute("rollbook.tables", sorted(tables))
        for request in islice(_requests(entries), MAX_LINKS):
            span.add_link(request)
    return span


@contextmanager
def ending(span: Span) -> Iterator[None]:
    """End the span behind what is done, and tell in it what went wrong."""
    try:
        yield
    except Exception as error:
        # Its message may hold values of rows.
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        span.end()


def _requests(entries: Sequence[Entry]) -> Iterator[SpanContext]:
    """The spans of the requests that were traced: their correlation ids are `traceparent`s."""
    ids = (e.provenance.correlation_id for _, e in entries if not isinstance(e, Unreadable))
    for correlation_id in dict.fromkeys(ids):
        context = _trace_context.extract({"traceparent": correlation_id or ""}, Context())
        found = trace.get_current_span(context).get_span_context()
        if found.is_valid:
            yield found
