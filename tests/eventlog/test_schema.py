from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from eventsourcing.persistence import ProgrammingError

from eventlog.facts import Fact
from eventlog.pool import Connection
from eventlog.recorder import PostgresRecorder
from eventlog.schema import migrate
from tests.eventlog.events import CODE, FACTS, NUMBER, a_stream


def index_names(conn: psycopg.Connection) -> set[str]:
    rows = conn.execute("select indexname from pg_indexes where schemaname = 'rollbook'")
    return {name for (name,) in rows}


def drop_schema(conn: psycopg.Connection) -> None:
    with conn.transaction():
        conn.execute("drop schema if exists rollbook cascade")


def test_migrating_twice_changes_nothing(conn: Connection, recorder: PostgresRecorder) -> None:
    recorder.insert_events(a_stream(2))
    before = index_names(conn)
    migrate(conn, FACTS)
    assert index_names(conn) == before
    assert recorder.max_notification_id() == 2


def test_many_that_migrate_an_empty_database_at_once_all_succeed(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        drop_schema(conn)
    together = Barrier(8)

    def run() -> None:
        with psycopg.connect(database_url) as conn:
            together.wait()
            migrate(conn, FACTS)

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(run) for _ in range(8)]:
            done.result()
    with psycopg.connect(database_url) as conn:
        assert {NUMBER.index, CODE.index} <= index_names(conn)


def test_a_fact_that_is_declared_later_gets_its_index(conn: Connection) -> None:
    fact = Fact("coin.melted.v1", "furnace", unique=False)
    migrate(conn, [*FACTS, fact])
    assert fact.index in index_names(conn)


def test_every_fact_has_an_index_name_of_its_own() -> None:
    long = "a_topic_with_a_name_that_is_much_longer_than_postgresql_allows.v"
    facts = [
        Fact(f"{long}{version}", field, unique=unique)
        for version in (1, 2)
        for field in ("number", "number_of_parts")
        for unique in (True, False)
    ]
    names = {fact.index for fact in facts}
    assert len(names) == len(facts)
    assert all(len(name) <= 63 for name in names)


def test_a_log_of_a_newer_version_is_left_alone(conn: Connection) -> None:
    conn.execute("insert into rollbook.eventlog_steps (step) values (1000)")
    with pytest.raises(ProgrammingError, match="1000"):
        migrate(conn)


@pytest.mark.parametrize("change", ["cache 20", "increment by 2", "cycle"])
def test_a_sequence_that_would_break_the_order_is_refused(conn: Connection, change: str) -> None:
    conn.execute(f"alter sequence rollbook.events_position_seq {change}")
    with pytest.raises(ProgrammingError, match="sequence"):
        migrate(conn)


@pytest.mark.parametrize(
    "change",
    [
        "update rollbook.events set topic = 'x'",
        "delete from rollbook.events",
        "truncate rollbook.events",
        "update rollbook.events set topic = 'x' where false",
    ],
)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_the_log_refuses_every_change(
    conn: Connection, recorder: PostgresRecorder, change: str, role: str
) -> None:
    recorder.insert_events(a_stream(1))
    conn.execute(f"set session_replication_role = {role}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        conn.execute(change)
    assert recorder.max_notification_id() == 1


def test_a_position_cannot_be_chosen(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.GeneratedAlways):
        conn.execute(
            "insert into rollbook.events (position, stream_id, version, topic, state)"
            " values (7, gen_random_uuid(), 1, 'x', '{}')"
        )
