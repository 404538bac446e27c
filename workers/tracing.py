"""A span for each batch of events, linked to the requests that the events came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from projections.fold import Entry
from projections.unreadable import Unreadable

MAX_LINKS = 128
"""As many as the SDK keeps of a span, if it is not told otherwise."""

_tracer = trace.get_tracer("rollbook.projector")
_trace_context = TraceContextTextMapPropagator()


@contextmanager
def batch_span(entries: Sequence[Entry], tables: Sequence[str]) -> Iterator[None]:
    """Let what is done meanwhile have a span that tells which events `tables` take in.

    It links to the first `MAX_LINKS` requests among those of the events.
    """
    with _tracer.start_span(
        "project",
        Context(),
        SpanKind.CONSUMER,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        if span.is_recording():
            span.set_attribute("rollbook.first_position", entries[0][0])
            span.set_attribute("rollbook.last_position", entries[-1][0])
            span.set_attribute("rollbook.events", len(entries))
            span.set_attribute("rollbook.tables", sorted(tables))
            for request in islice(_requests(entries), MAX_LINKS):
                span.add_link(request)
        try:
            yield
        except Exception as error:
            # Its message may hold values of rows.
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


def _requests(entries: Sequence[Entry]) -> Iterator[SpanContext]:
    """The spans of the requests that were traced: their correlation ids are `traceparent`s."""
    ids = (e.provenance.correlation_id for _, e in entries if not isinstance(e, Unreadable))
    for correlation_id in dict.fromkeys(ids):
        context = _trace_context.extract({"traceparent": correlation_id or ""}, Context())
        found = trace.get_current_span(context).get_span_context()
        if found.is_valid:
            yield found
