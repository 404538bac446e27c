from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import (
    InternalError,
    OperationalError,
    ProgrammingError,
)

from eventlog.errors import LockTimeoutError, VersionConflictError
from eventlog.insertion import MAX_EVENTS
from eventlog.pool import Connection, Pool, borrowed, open_pool
from eventlog.recorder import PostgresRecorder
from tests.eventlog.events import a_stream, count, is_waiting_for_a_lock, stored
from tests.patience import PATIENCE_SECONDS, eventually


def test_a_transaction_is_seen_by_others_when_it_is_committed(
    recorder: PostgresRecorder, conn: Connection
) -> None:
    stream = uuid4()
    with recorder.transaction():
        assert recorder.insert_events([stored(stream, 1)]) == [1]
        assert recorder.insert_events([stored(stream, 2)]) == [2]
        assert len(recorder.select_events(stream)) == 2
        assert count(conn) == 0
    assert count(conn) == 2


def test_a_transaction_takes_more_events_than_one_statement(
    recorder: PostgresRecorder, conn: Connection
) -> None:
    with recorder.transaction():
        positions = recorder.insert_events(a_stream(MAX_EVENTS + 1))
    assert positions == list(range(1, MAX_EVENTS + 2))
    assert count(conn) == MAX_EVENTS + 1


def test_a_transaction_that_fails_leaves_nothing(
    recorder: PostgresRecorder, conn: Connection
) -> None:
    def fail() -> None:
        with recorder.transaction():
            recorder.insert_events(a_stream(1))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert count(conn) == 0
    recorder.insert_events(a_stream(1))
    assert count(conn) == 1


def test_a_transaction_that_failed_does_no_harm_to_what_comes_on_its_connection(
    log_url: str,
) -> None:
    with open_pool(log_url, 1) as pool:
        recorder = PostgresRecorder(pool)
        (event,) = a_stream(1)
        recorder.insert_events([event])
        # psycopg forgets what it has prepared on the server when a transaction is rolled back.
        assert recorder.select_events(event.originator_id) == [event]
        with suppress(VersionConflictError), recorder.transaction():
            recorder.insert_events([event])
        recorder.insert_events(a_stream(1))
        with recorder.transaction():
            recorder.insert_events(a_stream(1))


def test_a_transaction_within_another_joins_it(
    recorder: PostgresRecorder, conn: Connection
) -> None:
    with recorder.transaction():
        with recorder.transaction():
            recorder.insert_events(a_stream(1))
        assert count(conn) == 0
    assert count(conn) == 1


def test_a_conflict_that_was_passed_over_does_not_look_like_success(
    recorder: PostgresRecorder, conn: Connection
) -> None:
    event = a_stream(1)
    recorder.insert_events(event)

    def swallow() -> None:
        with recorder.transaction():
            recorder.insert_events(a_stream(1))
            with pytest.raises(VersionConflictError):
                recorder.insert_events(event)

    with pytest.raises(InternalError):
        swallow()
    assert count(conn) == 1


def test_the_bell_rings_after_the_commit(log_pool: Pool, conn: Connection) -> None:
    seen: list[int] = []
    recorder = PostgresRecorder(log_pool, on_append=lambda: seen.append(count(conn)))
    with recorder.transaction():
        recorder.insert_events(a_stream(2))
    with recorder.transaction():
        recorder.lock(uuid4(), shared=True)
    assert seen == [2]


def test_an_empty_transaction_needs_no_connection(log_url: str) -> None:
    with open_pool(log_url, 1) as pool, borrowed(pool), PostgresRecorder(pool).transaction():
        pass


def test_a_lock_needs_a_transaction(recorder: PostgresRecorder) -> None:
    with pytest.raises(ProgrammingError):
        recorder.lock(uuid4(), shared=False)


@pytest.mark.parametrize(
    ("first_shared", "second_shared", "waits"),
    [(True, True, False), (True, False, True), (False, True, True), (False, False, True)],
)
def test_shared_locks_go_together_and_exclusive_ones_alone(
    recorder: PostgresRecorder,
    conn: Connection,
    *,
    first_shared: bool,
    second_shared: bool,
    waits: bool,
) -> None:
    key = uuid4()

    def second() -> None:
        with recorder.transaction():
            recorder.lock(key, shared=second_shared)

    with ThreadPoolExecutor(1) as thread:
        with recorder.transaction():
            recorder.lock(key, shared=first_shared)
            done = thread.submit(second)
            if waits:
                eventually(lambda: is_waiting_for_a_lock(conn))
                assert not done.done()
            else:
                done.result(timeout=PATIENCE_SECONDS)
        done.result(timeout=PATIENCE_SECONDS)


def test_different_keys_do_not_wait_for_each_other(recorder: PostgresRecorder) -> None:
    def lock_other() -> None:
        with recorder.transaction():
            recorder.lock(UUID(int=2), shared=False)

    with recorder.transaction(), ThreadPoolExecutor(1) as thread:
        recorder.lock(UUID(int=1), shared=False)
        thread.submit(lock_other).result(timeout=PATIENCE_SECONDS)


def test_what_is_read_after_a_lock_includes_what_its_last_holder_stored(
    recorder: PostgresRecorder, conn: Connection
) -> None:
    key, stream = uuid4(), uuid4()

    def read() -> int:
        with recorder.transaction():
            recorder.lock(key, shared=False)
            return len(recorder.select_events(stream))

    with ThreadPoolExecutor(1) as thread:
        with recorder.transaction():
            recorder.lock(key, shared=False)
            length = thread.submit(read)
            eventually(lambda: is_waiting_for_a_lock(conn))
            recorder.insert_events([stored(stream, 1)])
        assert length.result(timeout=PATIENCE_SECONDS) == 1


def test_a_lock_that_is_not_granted_in_time_is_an_error_and_stores_nothing(
    log_url: str, recorder: PostgresRecorder, conn: Connection
) -> None:
    key = uuid4()

    def wait_in_vain() -> None:
        with open_pool(
            f"{log_url}{'&' if '?' in log_url else '?'}application_name=hasty", 1
        ) as pool:
            with borrowed(pool) as hasty:
                hasty.execute("set lock_timeout = 50")
            hurried = PostgresRecorder(pool)
            with hurried.transaction():
                hurried.insert_events(a_stream(1))
                hurried.lock(key, shared=False)

    with recorder.transaction(), ThreadPoolExecutor(1) as thread:
        recorder.lock(key, shared=False)
        with pytest.raises(LockTimeoutError):
            thread.submit(wait_in_vain).result(timeout=PATIENCE_SECONDS)
    assert count(conn) == 0


def test_connections_have_time_limits(log_pool: Pool) -> None:
    with borrowed(log_pool) as conn:
        limits = [
            conn.execute(f"show {name}").fetchone()
            for name in (
                "lock_timeout",
                "statement_timeout",
                "idle_in_transaction_session_timeout",
            )
        ]
    assert limits == [("5s",), ("15s",), ("15s",)]


def test_options_that_are_given_are_kept(log_url: str) -> None:
    sign = "&" if "?" in log_url else "?"
    with (
        open_pool(f"{log_url}{sign}options=-c%20work_mem%3D5MB", 1) as pool,
        borrowed(pool) as conn,
    ):
        assert conn.execute("show work_mem").fetchone() == ("5MB",)
        assert conn.execute("show lock_timeout").fetchone() == ("5s",)


def test_an_exhausted_pool_is_an_operational_error(log_url: str) -> None:
    with open_pool(log_url, 1) as pool, borrowed(pool):
        pool.timeout = 0.05
        with pytest.raises(OperationalError):
            PostgresRecorder(pool).insert_events(a_stream(1))
