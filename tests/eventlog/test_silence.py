"""A server that says nothing any more, without closing a connection."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from time import monotonic

import psycopg
import pytest

from eventlog import silence
from eventlog.errors import OutcomeUnknownError
from eventlog.fetching import fetch
from eventlog.insertion import insert
from eventlog.pool import Connection, Pool, borrowed, open_connection, open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.schema import migrate
from eventlog.silence import ServerSilent
from projections.session import open_patient
from tests.eventlog.events import FACTS, a_stream, count
from tests.eventlog.proxy import Proxy
from tests.patience import eventually
from tests.servers import running_postgres, temporary_home

IMPATIENT = "-c statement_timeout=500"


@pytest.fixture
def impatient_pool(proxy: Proxy) -> Iterator[Pool]:
    with open_pool(proxy.link(options=IMPATIENT), 4, patience_seconds=30) as pool:
        yield pool


def positions(conn: Connection) -> list[int]:
    return [position for (position,) in conn.execute("select position from rollbook.events")]


def hold_all(pool: Pool) -> None:
    """Have the pool open all the connections that it may."""
    with ExitStack() as stack:
        for _ in range(pool.max_size):
            stack.enter_context(pool.connection())


WAYS: dict[str, Callable[[Connection], object]] = {
    "execute": lambda conn: conn.execute("SELECT 1"),
    "stream": lambda conn: list(conn.cursor().stream("SELECT 1")),
    "begin": lambda conn: conn.transaction().__enter__(),
    "fetch": lambda conn: fetch(conn, "SELECT 1"),
    "insert": lambda conn: insert(conn, a_stream(1)),
    "insert many": lambda conn: insert(conn, a_stream(5_000)),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_call_ends_and_the_connection_with_it(proxy: Proxy, way: str) -> None:
    with open_connection(proxy.link(options=IMPATIENT)) as conn:
        proxy.fall_silent()
        with pytest.raises(ServerSilent):
            WAYS[way](conn)
        assert conn.closed


def test_a_question_that_the_server_keeps_ends_too_and_no_other_one(
    proxy: Proxy, log_url: str
) -> None:
    lasting = "SELECT true FROM pg_sleep(%s)"
    with open_connection(proxy.link(options=IMPATIENT)) as conn, open_connection(log_url) as other:
        for _ in range(3):
            fetch(conn, "SELECT 1")
            fetch(other, lasting, [0.0])
        with ThreadPoolExecutor() as threads:
            slow = threads.submit(fetch, other, lasting, [4.0])
            proxy.fall_silent()
            with pytest.raises(ServerSilent):
                fetch(conn, "SELECT 1")
            assert conn.closed
            assert not slow.done()
            assert slow.result() == [(True,)]
        assert fetch(other, lasting, [0.0]) == [(True,)]


def test_a_call_waits_longer_than_the_server_lets_it_run(log_url: str) -> None:
    sign = "&" if "?" in log_url else "?"
    limit = f"{log_url}{sign}options=-c%20statement_timeout%3D"
    with open_connection(f"{limit}6000") as conn:
        assert conn.execute("SELECT true FROM pg_sleep(5.5)").fetchone() == (True,)
    with open_connection(f"{limit}500") as conn, pytest.raises(psycopg.errors.QueryCanceled):
        conn.execute("SELECT pg_sleep(30)")


def test_after_a_silence_the_pool_lends_new_connections_alone(
    proxy: Proxy, impatient_pool: Pool
) -> None:
    hold_all(impatient_pool)
    proxy.fall_silent()
    with pytest.raises(ServerSilent), borrowed(impatient_pool) as conn:
        conn.execute("SELECT 1")
    proxy.speak()
    for _ in range(impatient_pool.max_size):
        with borrowed(impatient_pool) as conn:
            conn.execute("SELECT 1")


def test_an_append_that_meets_silence_is_stored_once_over_another_connection(
    proxy: Proxy, impatient_pool: Pool, conn: Connection
) -> None:
    hold_all(impatient_pool)
    proxy.fall_silent()
    with ThreadPoolExecutor(1) as thread:
        outcome = thread.submit(PostgresRecorder(impatient_pool).insert_events, a_stream(2))
        eventually(lambda: impatient_pool.get_stats().get("returns_bad", 0) > 0)
        proxy.speak()
        assert outcome.result() == [1, 2]
    assert count(conn) == 2


def test_an_append_asks_no_longer_than_it_may_what_became_of_it(
    proxy: Proxy, impatient_pool: Pool
) -> None:
    recorder = PostgresRecorder(impatient_pool, resolve_seconds=4)
    recorder.insert_events(a_stream(1))
    impatient_pool.timeout = 1
    proxy.fall_silent()
    began = monotonic()
    with pytest.raises(OutcomeUnknownError):
        recorder.insert_events(a_stream(1))
    assert monotonic() - began < 15


def test_patient_work_goes_on_while_the_server_is_at_it_and_no_longer(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "ASK_EVERY_SECONDS", 0.5)
    with open_patient(proxy.link()) as conn:
        assert conn.execute("SELECT true FROM pg_sleep(3)").fetchone() == (True,)
        assert fetch(conn, "SELECT true FROM pg_sleep(3)") == [(True,)]
        proxy.fall_silent()
        with pytest.raises(ServerSilent):
            conn.execute("SELECT 1")


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """This process of the server does nothing."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@pytest.fixture
def own_url() -> Iterator[str]:
    """A server on this machine."""
    with temporary_home() as home, running_postgres(home) as url:
        yield url


def is_connected(process: int, conn: Connection) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
    return conn.execute(query, [process]).fetchone() is not None


def test_what_meets_a_stopped_server_process_is_found_out_over_another(own_url: str) -> None:
    with open_connection(own_url) as conn:
        migrate(conn, FACTS)
        with open_pool(f"{own_url}&options=-c%20statement_timeout%3D500", 1) as pool:
            recorder = PostgresRecorder(pool, resolve_seconds=10)
            with borrowed(pool) as lent:
                process = lent.info.backend_pid
            with stopped(process):
                [stored_once] = recorder.insert_events(a_stream(1))
            # It goes on with what it was sent, and finds that it comes too late.
            eventually(lambda: not is_connected(process, conn))
            assert positions(conn) == [stored_once]


def test_a_commit_that_meets_a_stopped_server_process_is_unknown(own_url: str) -> None:
    with open_connection(own_url) as conn:
        migrate(conn, FACTS)
        with open_pool(f"{own_url}&options=-c%20statement_timeout%3D500", 2) as pool:
            recorder = PostgresRecorder(pool, resolve_seconds=4)
            with ExitStack() as stack:

                def store() -> None:
                    with recorder.transaction():
                        recorder.insert_events(a_stream(1))
                        with recorder.connection() as lent:
                            stack.enter_context(stopped(lent.info.backend_pid))

                with pytest.raises(OutcomeUnknownError):
                    store()
            eventually(lambda: len(positions(conn)) == 1)
