"""Where the spans of a process go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter


END_SECONDS = 5.0
"""What was not sent by then is lost."""


class NothingToSendTracesWith(click.ClickException):
    """Traces are to be sent, and the extra that sends them is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "Traces are to be sent by OTLP, which is not installed: "
            "install rollbook[telemetry], or set OTEL_TRACES_EXPORTER=none."
        )


@contextmanager
def traced(process: str, exporter: str | None) -> Iterator[None]:
    """Let this process send its spans with `exporter`, those at its end too; None for nowhere.

    It starts a thread, so it is to be called behind any fork. The SDK reads the variables of
    OpenTelemetry by itself. Raises `NothingToSendTracesWith`.
    """
    if exporter is None:
        yield
        return
    # The SDK is loaded by those alone who ask for it.
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    given = OTELResourceDetector().detect().attributes
    resource = Resource.create({"service.name": f"rollbook-{process}", **given})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter_class(exporter)()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        # By itself it would try as long as half a minute to reach a collector that is away.
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(END_SECONDS)


def exporter_class(exporter: str) -> type[SpanExporter]:
    """Return what sends spans: by `otlp`, or to the standard output (`console`).

    Raises `NothingToSendTracesWith`.
    """
    if exporter == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter  # noqa: PLC0415

        return ConsoleSpanExporter
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
    except ModuleNotFoundError:
        raise NothingToSendTracesWith from None
    return OTLPSpanExporter
