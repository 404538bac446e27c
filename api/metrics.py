"""What this process counts of its own requests, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from eventlog.pool import Pool

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Figures by operation, and of the pool."""

    def __init__(self, shared_folder: str | None = None) -> None:
        """Keep them together with those of other processes in `shared_folder`, if there is one.

        The variable PROMETHEUS_MULTIPROC_DIR must then name it, before this file is imported.
        """
        self._shared_folder = shared_folder
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "rollbook_requests",
            "Requests by operation and status.",
            ["operation", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "rollbook_request_seconds",
            "How long requests took, by operation.",
            ["operation"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._found: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._connections = Gauge(
            "rollbook_pool_connections",
            "Connections to the database, by what they do.",
            ["state"],
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def observe(self, operation: str, status: int, seconds: float) -> None:
        """Count one request."""
        count, duration = self._of(operation, status)
        count.inc()
        duration.observe(seconds)

    def _of(self, operation: str, status: int) -> tuple[Counter, Histogram]:
        # To look for them by their labels takes longer than to count.
        found = self._found.get((operation, status))
        if found is None:
            count = self._requests.labels(operation, str(status))
            found = self._found[operation, status] = count, self._seconds.labels(operation)
        return found

    def look_at(self, pool: Pool) -> None:
        """Take note of what the connections of this process do."""
        stats = pool.get_stats()
        idle = stats.get("pool_available", 0)
        self._connections.labels("idle").set(idle)
        self._connections.labels("busy").set(stats.get("pool_size", 0) - idle)
        self._connections.labels("awaited").set(stats.get("requests_waiting", 0))

    def collected(self) -> CollectorRegistry:
        """Return the figures of all processes, to be shown once."""
        registry = CollectorRegistry()
        if self._shared_folder is None:
            registry.register(self._registry)
        else:
            MultiProcessCollector(registry, self._shared_folder)  # type: ignore[no-untyped-call]
        return registry
