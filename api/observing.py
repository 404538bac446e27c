"""Every request leaves its duration and status behind."""

from __future__ import annotations

import logging
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, NamedTuple, cast

from flask import Flask, Response, request

from api.metrics import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BEGAN = "rollbook.began"

logger = logging.getLogger(__name__)


class Began(NamedTuple):
    """When a request began, by the clock that measures and by the one of everybody."""

    seconds: float
    nanoseconds_of_day: int


def began(environ: WSGIEnvironment) -> Began:
    """Return when a request with this environment (PEP 3333) began: when this was first asked."""
    return cast("Began", environ.setdefault(BEGAN, Began(perf_counter(), time_ns())))


def operation() -> str:
    """Return what this request asks for, as the description names it."""
    return (request.endpoint or "nothing").rpartition(".")[2]


def measure(metrics: Metrics, method: str, name: str, status: int, seconds: float) -> None:
    """Count a request for the operation of that name, and log a line about it."""
    metrics.observe(name, status, seconds)
    if logger.isEnabledFor(logging.INFO):
        # Neither the path nor the query, which may name a person.
        told = {
            "method": method,
            "operation": name,
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
        }
        logger.info("request", extra=told)


def observe(app: Flask, metrics: Metrics) -> None:
    """Measure every request of `app`. To be called first, so that all else is measured."""

    def begin() -> None:
        began(request.environ)

    def end(response: Response) -> Response:
        seconds = perf_counter() - began(request.environ).seconds
        measure(metrics, request.method, operation(), response.status_code, seconds)
        return response

    app.before_request(begin)
    app.after_request(end)
