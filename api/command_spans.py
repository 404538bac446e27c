"""A span for each command, below that of its request: it leads to the command's events."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from opentelemetry import trace

from api.shown import POSITION
from api.tracing import request_span
from api.wire import Answer

_tracer = trace.get_tracer("rollbook.api")


def traced_command(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """Let `view`, which gives a command, have a span with the position of its last event.

    Of an error it tells the kind alone: the message may name a person.
    """
    name = f"command {view.__name__}"

    @wraps(view)
    def traced(*args: Any, **ids: Any) -> Answer:
        below = trace.set_span_in_context(request_span())
        with _tracer.start_span(
            name, below, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                answer = view(*args, **ids)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                raise
            if POSITION in answer.headers:
                span.set_attribute("rollbook.position", int(answer.headers[POSITION]))
            return answer

    return traced
