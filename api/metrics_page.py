"""The figures for Prometheus, at /metrics: to whoever has the token for them."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from http import HTTPStatus

import psycopg
from flask import Blueprint, Response, request
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.access import Public, declares
from api.problems import Problem, ProblemError
from api.services import services
from eventlog.pool import Pool
from projections.standing import Standing, standing
from proof.growth import end_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
READ_WITHIN_SECONDS = 2.0
REFUSED = Problem(
    HTTPStatus.UNAUTHORIZED,
    "unauthenticated",
    "The figures are shown to who sends the token for them, if there is one.",
    headers={"WWW-Authenticate": 'Bearer realm="rollbook metrics"'},
)

metrics = Blueprint("metrics", __name__)


@metrics.get("/metrics")
@declares(Public.ANYBODY)
def get_metrics() -> Response:
    """Show the figures to who has the token for them."""
    handed = services()
    expected = handed.policy.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if expected is None or not hmac.compare_digest(given.encode(), expected.encode()):
        raise ProblemError(REFUSED)
    handed.metrics.look_at(handed.pool)
    registry = handed.metrics.collected()
    registry.register(_Positions(handed.pool))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE)


class _Positions(Collector):
    """Where everything stands; nothing of it when the database does not answer."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("rollbook_database_up", "1 when the database answers.")
        try:
            with self._pool.connection(timeout=READ_WITHIN_SECONDS) as conn:
                proven = end_of(conn)
                found = standing(conn)
        except psycopg.Error:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _families(found)
        yield from _of_the_tree(found, *proven)


def _families(found: Standing) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "rollbook_log_position", "Position of the last event.", value=found.log_position
    )
    position = GaugeMetricFamily(
        "rollbook_projection_position", "What a read table has reached.", labels=["table"]
    )
    lag = GaugeMetricFamily(
        "rollbook_projection_lag", "How far the log is ahead of a read table.", labels=["table"]
    )
    parked = GaugeMetricFamily(
        "rollbook_parked_events", "Events that a read table could not take.", labels=["table"]
    )
    for table, reached in found.tables.items():
        position.add_metric([table], reached)
        lag.add_metric([table], found.lag(reached))
        parked.add_metric([table], found.parked.get(table, 0))
    yield from (position, lag, parked)
    if found.published is not None:
        yield GaugeMetricFamily(
            "rollbook_stream_lag",
            "How far the log is ahead of the Redis Stream.",
            value=found.lag(found.published),
        )


def _of_the_tree(found: Standing, size: int, position: int) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "rollbook_merkle_tree_size", "How many events the Merkle tree has.", value=size
    )
    yield GaugeMetricFamily(
        "rollbook_merkle_tree_lag",
        "How far the log is ahead of the Merkle tree.",
        value=found.lag(position),
    )
