from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from eventlog.pool import open_pool
from eventlog.recorder import PostgresRecorder
from tests.eventlog.events import a_stream

UNTIL_PLANNED_ONCE = 7
"""The server plans a question anew five times, and then once for all (plan_cache_mode)."""
PLANNED_ONCE = "SELECT name FROM pg_prepared_statements WHERE generic_plans > 0"


@pytest.mark.parametrize(
    ("arguments", "versions"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"gt": 2}, [3, 4, 5]),
        ({"lte": 2}, [1, 2]),
        ({"gt": 1, "lte": 4}, [2, 3, 4]),
        ({"desc": True}, [5, 4, 3, 2, 1]),
        ({"desc": True, "limit": 1}, [5]),
        ({"limit": 2, "gt": 0}, [1, 2]),
        ({"limit": 0}, []),
        ({"gt": 5}, []),
    ],
)
def test_a_part_of_a_stream(
    recorder: PostgresRecorder, arguments: dict[str, Any], versions: list[int]
) -> None:
    events = a_stream(5)
    recorder.insert_events(events)
    recorder.insert_events(a_stream(5))
    read = recorder.select_events(events[0].originator_id, **arguments)
    assert [event.originator_version for event in read] == versions


def test_a_stream_may_be_named_by_text(recorder: PostgresRecorder) -> None:
    events = a_stream(1)
    recorder.insert_events(events)
    assert recorder.select_events(str(events[0].originator_id)) == events


def test_an_unknown_stream_is_empty(recorder: PostgresRecorder) -> None:
    assert recorder.select_events(uuid4()) == []


def test_a_plan_made_while_the_log_was_empty_reads_one_stream_of_many(log_url: str) -> None:
    with psycopg.connect(log_url, autocommit=True) as conn:
        conn.execute("ANALYZE rollbook.events")
    with open_pool(log_url, 1) as pool:
        recorder = PostgresRecorder(pool)
        for _ in range(UNTIL_PLANNED_ONCE):
            assert recorder.select_events(uuid4()) == []
        with pool.connection() as conn:
            ((name,),) = conn.execute(PLANNED_ONCE).fetchall()
            plan = conn.execute(f"EXPLAIN EXECUTE {name} ('{uuid4()}', -1, 9, 9)".encode())
            assert "events_stream_id_version_key" in str(plan.fetchall())
