"""What whoever runs the API can see of it."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from api.metrics import Metrics
from api.policy import Policy
from tests.api.world import KEPT_BYTES, Answer, Api, Caller
from tests.patience import eventually

SECRET = "a-token-for-the-figures"
INDEXES_OF_ENROLLMENTS = """
SELECT indexrelid::regclass::text FROM pg_index
WHERE indrelid = 'rollbook_read.enrollment_listing'::regclass AND NOT indisprimary
"""


def watched(api: Api, max_lag: int = 1_000) -> Api:
    policy = Policy(metrics_token=SECRET, max_lag=max_lag, kept_bytes=KEPT_BYTES)
    handed = replace(api.services, policy=policy, metrics=Metrics())
    return Api(handed, api.url)


def figures(api: Api) -> dict[tuple[str, ...], float]:
    answer = api.with_token(SECRET).get("/metrics")
    assert (answer.status, answer.headers["Content-Type"][:10]) == (200, "text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.data.decode())
        for sample in family.samples
    }


def test_requests_are_counted_by_operation_and_status(empty_api: Api) -> None:
    api = watched(empty_api)
    for path in ("programs", "programs", "programs?limit=x", "nowhere"):
        api.admin.get(path)
    found = figures(api)
    assert found["rollbook_requests_total", "get_programs", "200"] == 2
    assert found["rollbook_requests_total", "get_programs", "422"] == 1
    assert found["rollbook_requests_total", "nothing", "404"] == 1
    assert found["rollbook_request_seconds_count", "get_programs"] == 3
    assert found["rollbook_request_seconds_sum", "get_programs"] > 0


def test_positions_lag_and_pool_are_shown(empty_api: Api) -> None:
    api = watched(empty_api)
    created = api.admin.post("programs", {"code": "P", "title": "T"})
    api.admin.get("programs", at_least=created)
    found = figures(api)
    position = float(created.headers["Rollbook-Position"])
    assert found["rollbook_database_up",] == 1
    assert found["rollbook_log_position",] == position
    assert found["rollbook_projection_position", "program_listing"] == position
    assert found["rollbook_projection_lag", "program_listing"] == 0
    assert found["rollbook_parked_events", "program_listing"] == 0
    assert found["rollbook_merkle_tree_size",] == 0
    assert found["rollbook_merkle_tree_lag",] == position
    assert found["rollbook_pool_connections", "idle"] >= 1


def test_the_figures_are_for_who_has_their_token(api: Api) -> None:
    one = watched(api)
    for caller in (one.with_token(None), one.admin, one.with_token(SECRET[:-1])):
        assert refused(caller).status == 401
    assert refused(api.with_token(SECRET)).status == 401


def refused(caller: Caller) -> Answer:
    return caller.get("/metrics")


def test_far_behind_the_log_is_not_ready(empty_api: Api) -> None:
    api = watched(empty_api, max_lag=5)
    ready = api.admin.get("/readyz")
    assert (ready.status, ready.json["status"], ready.json["lag"]) == (200, "ready", 0)
    with empty_api.pool.connection() as conn:
        conn.execute("UPDATE rollbook_read.progress SET position = -6")
    behind = api.admin.get("/readyz")
    assert (behind.status, behind.json["code"]) == (503, "not_ready")


def test_tables_without_indexes_are_not_ready(empty_api: Api) -> None:
    with empty_api.pool.connection() as conn:
        [(index, *_), *_] = conn.execute(INDEXES_OF_ENROLLMENTS).fetchall()
        conn.execute(f"DROP INDEX {index}".encode())
    bare = empty_api.admin.get("/readyz")
    assert (bare.status, bare.json["code"]) == (503, "not_ready")
    assert "indexes" in bare.json["detail"]


def test_tables_that_are_still_filled_are_not_ready_and_not_read(empty_api: Api) -> None:
    assert empty_api.admin.get("enrollments").status == 200
    with empty_api.pool.connection() as conn:
        conn.execute(
            "UPDATE rollbook_read.progress SET filled = false"
            " WHERE table_name IN ('enrollment_listing', 'enrollment_history')"
        )
    eventually(lambda: empty_api.admin.get("enrollments").status == 503)
    for path in ("/readyz", "enrollments", "enrollments?as_of=2026-01-01T00:00:00Z", "analytics"):
        unfilled = empty_api.admin.get(path)
        assert (unfilled.status, unfilled.json["code"]) == (503, "not_ready")
        assert unfilled.headers["Retry-After"] == "1"
    assert empty_api.auditor.get("audit/events").status == 200


def test_tables_of_an_older_version_are_not_ready(empty_api: Api) -> None:
    with empty_api.pool.connection() as conn:
        conn.execute("DELETE FROM rollbook.eventlog_steps WHERE step > 1")
    older = empty_api.admin.get("/readyz")
    assert (older.status, older.json["code"]) == (503, "not_ready")
