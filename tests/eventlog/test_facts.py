from __future__ import annotations

from uuid import uuid4

import pytest
from eventsourcing.persistence import (
    ProgrammingError,
)

from eventlog.facts import Fact
from eventlog.pool import Connection
from eventlog.recorder import PostgresRecorder
from tests.eventlog.events import (
    CODE,
    FACTS,
    stored,
)


def test_streams_are_found_by_a_declared_fact(recorder: PostgresRecorder) -> None:
    first, second, other = uuid4(), uuid4(), uuid4()
    for stream, code in [(second, "A"), (first, "A"), (other, "B")]:
        recorder.insert_events([stored(stream, 1, CODE.topic, f'{{"code": "{code}"}}')])
    recorder.insert_events([stored(second, 2, CODE.topic, '{"code": "A"}')])
    assert recorder.find(CODE.topic, "code", "A") == [second, first]
    assert recorder.find(CODE.topic, "code", "A", limit=1) == [second]
    assert recorder.find(CODE.topic, "code", "C") == []


def test_a_field_that_is_no_declared_fact_is_not_searched(recorder: PostgresRecorder) -> None:
    with pytest.raises(ProgrammingError, match="colour"):
        recorder.find(CODE.topic, "colour", "red")


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_is_found_by_its_index(conn: Connection, fact: Fact) -> None:
    conn.execute(
        "insert into rollbook.events (stream_id, version, topic, state)"
        " select gen_random_uuid(), 1, %s, json_build_object(%s::text, n::text)"
        " from generate_series(1, 5000) n",
        (fact.topic, fact.field),
    )
    conn.execute("analyze rollbook.events")
    statement = fact.find_statement().as_string(conn)
    for _ in range(7):
        # More often than psycopg and PostgreSQL need to settle on a plan for all values.
        rows = conn.execute(f"explain {statement}", ("17", None), prepare=True).fetchall()
    assert any(fact.index in line for (line,) in rows), rows
