from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from eventlog.names import CHANNEL
from eventlog.pool import Connection, open_connection
from eventlog.wakeup import Bell, Ear
from tests.patience import PATIENCE_SECONDS, eventually

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def bell(log_url: str) -> Iterator[Bell]:
    opened = Bell(log_url)
    yield opened
    opened.close()


@pytest.fixture
def ear(log_url: str) -> Iterator[Ear]:
    opened = Ear(log_url)
    opened.wait(0)
    yield opened
    opened.close()


def kill_others(conn: Connection) -> None:
    conn.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )


def test_an_ear_that_waits_hears_the_bell_at_once(bell: Bell, ear: Ear) -> None:
    with ThreadPoolExecutor(1) as thread:
        heard = thread.submit(ear.wait, PATIENCE_SECONDS)
        started = monotonic()
        bell.ring()
        assert heard.result()
        assert monotonic() - started < 5


def test_a_ring_before_the_wait_is_heard_too(bell: Bell, ear: Ear) -> None:
    bell.ring()
    assert ear.wait(10)


def test_without_a_ring_the_wait_ends_with_its_time(ear: Ear) -> None:
    assert not ear.wait(0.05)


def test_every_ear_hears_the_bell(log_url: str, bell: Bell, ear: Ear) -> None:
    other = Ear(log_url)
    other.wait(0)
    bell.ring()
    assert ear.wait(10)
    assert other.wait(10)
    other.close()


def test_a_new_ear_says_at_once_that_there_may_be_something(log_url: str) -> None:
    ear = Ear(log_url)
    assert ear.wait(10)
    ear.close()


def test_many_rings_are_few_notifications(bell: Bell, conn: Connection) -> None:
    conn.execute(f"listen {CHANNEL}".encode())
    started = monotonic()
    for _ in range(20_000):
        bell.ring()
    bell.close()
    elapsed_ms = (monotonic() - started) * 1000
    rung = len(list(conn.notifies(timeout=0.2)))
    assert 1 <= rung <= 2 + elapsed_ms / 2


def test_a_bell_that_cannot_be_heard_disturbs_nobody() -> None:
    bell = Bell(NOWHERE)
    started = monotonic()
    for _ in range(1000):
        bell.ring()
    bell.close()
    assert monotonic() - started < 5


def test_a_bell_that_is_closed_or_was_never_rung_has_no_thread(log_url: str) -> None:
    bell = Bell(log_url)
    bell.close()
    bell.ring()
    bell.close()


def test_an_ear_without_a_database_waits_the_whole_time() -> None:
    ear = Ear(NOWHERE)
    started = monotonic()
    assert not ear.wait(0.2)
    assert monotonic() - started >= 0.2


def test_a_bell_rings_again_after_its_connection_was_lost(
    bell: Bell, log_url: str, conn: Connection
) -> None:
    bell.ring()
    kill_others(conn)
    with open_connection(log_url) as listening:
        listening.execute(f"listen {CHANNEL}".encode())
        bell.ring()
        assert list(listening.notifies(timeout=PATIENCE_SECONDS, stop_after=1))


def test_an_ear_hears_again_after_its_connection_was_lost(
    bell: Bell, ear: Ear, conn: Connection
) -> None:
    kill_others(conn)
    assert not ear.wait(0.05)
    assert ear.wait(10)
    bell.ring()
    eventually(lambda: ear.wait(10))
