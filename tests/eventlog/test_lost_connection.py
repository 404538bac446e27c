"""What becomes of a command whose connection breaks: found out, never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from eventsourcing.persistence import OperationalError

from eventlog.errors import OutcomeUnknownError, VersionConflictError
from eventlog.pool import Connection, Pool, open_pool
from eventlog.recorder import PostgresRecorder
from tests.eventlog.events import (
    INSERT,
    a_stream,
    count,
    is_waiting_for_a_lock,
    stored,
    waiting_backends,
)
from tests.eventlog.proxy import Cut, Proxy, proxy_for
from tests.patience import PATIENCE_SECONDS, eventually

INSERTING = b"coin.tossed.v1"
COMMITTING = b"commit"


@pytest.fixture
def fragile_pool(proxy: Proxy) -> Iterator[Pool]:
    with open_pool(proxy.url, 2) as pool:
        pool.wait()
        yield pool


@pytest.fixture
def fragile(fragile_pool: Pool) -> PostgresRecorder:
    return PostgresRecorder(fragile_pool)


def rows(conn: Connection) -> list[tuple[int, str]]:
    return conn.execute("select position, stream_id::text from rollbook.events").fetchall()


def kill_others(conn: Connection) -> None:
    conn.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )


@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.AFTER_ANSWER, Cut.AT_ONCE, Cut.CLIENT_ONLY])
@pytest.mark.parametrize("length", [1, 3])
def test_an_append_that_was_cut_off_is_stored_once_and_told_its_positions(
    proxy: Proxy, fragile: PostgresRecorder, conn: Connection, how: Cut, length: int
) -> None:
    events = a_stream(length)
    proxy.cut_at(INSERTING, how)
    positions = fragile.insert_events(events)
    stream = str(events[0].originator_id)
    assert rows(conn) == [(position, stream) for position in positions]
    assert fragile.select_events(stream) == events


def test_an_append_that_was_cut_off_while_another_took_the_version_is_a_conflict(
    proxy: Proxy, fragile: PostgresRecorder, recorder: PostgresRecorder, conn: Connection
) -> None:
    stream = uuid4()
    recorder.insert_events([stored(stream, 1, state='{"by": "another"}')])
    proxy.cut_at(INSERTING, Cut.AFTER_ANSWER)
    with pytest.raises(VersionConflictError):
        fragile.insert_events([stored(stream, 1)])
    assert count(conn) == 1


def test_an_append_is_unknown_when_the_database_does_not_come_back(proxy: Proxy) -> None:
    with open_pool(proxy.url, 1) as pool:
        pool.wait()
        pool.timeout = 0.1
        proxy.cut_at(INSERTING, Cut.AFTER_ANSWER, for_good=True)
        with pytest.raises(OutcomeUnknownError):
            PostgresRecorder(pool, resolve_seconds=0.5).insert_events(a_stream(1))


def test_a_commit_is_unknown_when_the_database_does_not_come_back(proxy: Proxy) -> None:
    with open_pool(proxy.url, 1) as pool:
        pool.wait()
        pool.timeout = 0.1
        proxy.cut_at(COMMITTING, Cut.AFTER_ANSWER, for_good=True)
        recorder = PostgresRecorder(pool, resolve_seconds=0.5)

        def store() -> None:
            with recorder.transaction():
                recorder.insert_events(a_stream(1))

        with pytest.raises(OutcomeUnknownError):
            store()


def test_an_append_waits_for_the_fate_of_the_statement_that_was_cut_off(
    proxy: Proxy, fragile: PostgresRecorder, conn: Connection
) -> None:
    stream = uuid4()
    with ThreadPoolExecutor(1) as thread:
        # The first try hangs in the server behind another writer of the same version.
        with conn.transaction():
            conn.execute(INSERT, (stream, 1, "coin.tossed.v1"))
            proxy.cut_at(INSERTING, Cut.CLIENT_ONLY)
            outcome = thread.submit(fragile.insert_events, [stored(stream, 1, state='{"a": 1}')])
            eventually(lambda: is_waiting_for_a_lock(conn))
        with pytest.raises(VersionConflictError):
            outcome.result(timeout=PATIENCE_SECONDS)
    assert count(conn) == 1


def test_an_append_whose_backend_is_killed_is_stored_once(
    recorder: PostgresRecorder, conn: Connection
) -> None:
    stream = uuid4()
    with ThreadPoolExecutor(1) as thread:
        conn.execute("begin")
        conn.execute(INSERT, (stream, 1, "coin.tossed.v1"))
        outcome = thread.submit(recorder.insert_events, [stored(stream, 1, state='{"a": 1}')])
        eventually(lambda: is_waiting_for_a_lock(conn))
        first_try = waiting_backends(conn)
        kill_others(conn)
        eventually(lambda: bool(waiting_backends(conn) - first_try))
        conn.execute("rollback")
        outcome.result(timeout=PATIENCE_SECONDS)
    assert count(conn) == 1


@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.CLIENT_ONLY])
def test_a_commit_that_never_arrived_is_an_error_and_leaves_nothing(
    log_url: str, how: Cut, conn: Connection
) -> None:
    # A server that does not notice is left with a transaction that idles, and ends it in the end.
    sign = "&" if "?" in log_url else "?"
    impatient = "options=-c%20idle_in_transaction_session_timeout%3D500"
    with proxy_for(f"{log_url}{sign}{impatient}") as proxy, open_pool(proxy.url, 2) as pool:
        pool.wait()
        recorder = PostgresRecorder(pool)

        def store() -> None:
            with recorder.transaction():
                recorder.insert_events(a_stream(2))

        proxy.cut_at(COMMITTING, how)
        with pytest.raises(OperationalError, match="nothing stored"):
            store()
    assert count(conn) == 0


@pytest.mark.parametrize("how", [Cut.AFTER_ANSWER, Cut.AT_ONCE])
def test_a_commit_that_arrived_is_a_success(
    proxy: Proxy, fragile: PostgresRecorder, conn: Connection, how: Cut
) -> None:
    events = a_stream(2)
    proxy.cut_at(COMMITTING, how)
    with fragile.transaction():
        fragile.lock(uuid4(), shared=True)
        fragile.insert_events(events[:1])
        fragile.insert_events(events[1:])
    assert rows(conn) == [(n, str(events[0].originator_id)) for n in (1, 2)]


def test_a_connection_that_breaks_within_a_transaction_leaves_nothing(
    proxy: Proxy, fragile: PostgresRecorder, conn: Connection
) -> None:
    def store() -> None:
        with fragile.transaction():
            fragile.insert_events(a_stream(1))
            proxy.cut_at(INSERTING, Cut.AFTER_ANSWER)
            fragile.insert_events(a_stream(1))

    with pytest.raises(OperationalError):
        store()
    assert count(conn) == 0
    fragile.insert_events(a_stream(1))


def test_connections_that_went_stale_in_the_pool_are_replaced_unnoticed(
    log_pool: Pool, recorder: PostgresRecorder, conn: Connection
) -> None:
    stream = uuid4()
    held = [log_pool.getconn() for _ in range(4)]
    for each in held:
        log_pool.putconn(each)
    kill_others(conn)
    recorder.insert_events([stored(stream, 1)])
    kill_others(conn)
    assert len(recorder.select_events(stream)) == 1
    kill_others(conn)
    with recorder.transaction():
        recorder.lock(stream, shared=False)
        recorder.insert_events([stored(stream, 2)])
    assert count(conn) == 2
