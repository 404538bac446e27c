from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event

import psycopg
import pytest
import redis

from eventlog.pool import open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.wakeup import Bell
from tests.patience import eventually
from tests.servers import Databases, temporary_home
from tests.workers.publishing import (
    BreakableValkey,
    Writer,
    holds_the_log,
    log_entries,
    publisher_process,
    publishing,
    stream_entries,
    stream_length,
)
from workers import publish
from workers.event_stream import STREAM
from workers.publish import ForeignStream


@pytest.fixture
def writer(database_url: str) -> Iterator[Writer]:
    with open_pool(database_url, 2) as pool, closing(Bell(database_url)) as bell:
        yield Writer(PostgresRecorder(pool, on_append=bell.ring))


@pytest.fixture
def valkey() -> Iterator[BreakableValkey]:
    with temporary_home() as home:
        valkey = BreakableValkey(Path(home))
        valkey.start()
        yield valkey
        valkey.kill()


def test_the_stream_is_the_log_entry_for_entry(
    writer: Writer, database_url: str, redis_url: str
) -> None:
    for number in (1, 700, 3):
        writer.write(number)
    with publishing(database_url, redis_url):
        eventually(lambda: stream_length(redis_url) == 704)
    assert holds_the_log(redis_url, database_url)


def test_an_event_is_published_as_it_is_written(
    writer: Writer, database_url: str, redis_url: str
) -> None:
    with publishing(database_url, redis_url):
        for number in range(1, 4):
            writer.write(1)
            eventually(partial(_holds, redis_url, number))
    assert holds_the_log(redis_url, database_url)


def test_positions_that_were_never_used_are_passed_over(
    writer: Writer, database_url: str, redis_url: str
) -> None:
    writer.draw_a_number_in_vain()
    writer.write(2)
    with publishing(database_url, redis_url):
        eventually(lambda: stream_length(redis_url) == 2)
        writer.draw_a_number_in_vain()
        writer.write(2)
        eventually(lambda: stream_length(redis_url) == 4)
    assert [entry_id for entry_id, _ in stream_entries(redis_url)] == [
        b"2-0",
        b"3-0",
        b"5-0",
        b"6-0",
    ]


def test_a_publisher_that_is_killed_again_and_again_leaves_no_gap(
    writer: Writer, database_url: str, redis_url: str
) -> None:
    for _ in range(6):
        for _ in range(20):
            writer.write(100)
        before = stream_length(redis_url)
        with publisher_process(database_url, redis_url):
            eventually(partial(_holds, redis_url, before + 1))
    held = stream_entries(redis_url)
    assert held == log_entries(database_url)[: len(held)]
    with publishing(database_url, redis_url):
        eventually(lambda: stream_length(redis_url) == 12_000)
    assert holds_the_log(redis_url, database_url)


def test_two_publishers_at_once_publish_each_event_once(
    writer: Writer, database_url: str, redis_url: str
) -> None:
    with publishing(database_url, redis_url), publishing(database_url, redis_url):
        for _ in range(40):
            writer.write(50)
        eventually(lambda: stream_length(redis_url) >= 2_000)
    assert holds_the_log(redis_url, database_url)


def test_what_a_crash_of_redis_lost_is_published_again(
    writer: Writer, database_url: str, valkey: BreakableValkey
) -> None:
    with publishing(database_url, valkey.url):
        for _ in range(10):
            writer.write(300)
        eventually(lambda: stream_length(valkey.url) == 3_000)
        valkey.kill()
        valkey.lose_the_end(0.4)
        writer.write(300)
        valkey.start()
        eventually(lambda: stream_length(valkey.url) == 3_300)
    assert holds_the_log(valkey.url, database_url)


def test_what_was_lost_is_published_again_even_if_nothing_new_is_written(
    writer: Writer, database_url: str, redis_url: str
) -> None:
    writer.write(20)
    with publishing(database_url, redis_url):
        eventually(lambda: stream_length(redis_url) == 20)
        with redis.from_url(redis_url) as client:
            client.delete(STREAM)
        eventually(lambda: stream_length(redis_url) == 20)
    assert holds_the_log(redis_url, database_url)


def test_a_full_redis_holds_a_beginning_of_the_log_and_the_rest_follows(
    writer: Writer, database_url: str, valkey: BreakableValkey
) -> None:
    with redis.from_url(valkey.url) as client, publishing(database_url, valkey.url):
        writer.write(10)
        eventually(lambda: stream_length(valkey.url) == 10)
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 300_000)
        for _ in range(30):
            writer.write(100, text="x" * 1_000)
        eventually(lambda: "errorstat_OOM" in client.info("errorstats"))
        held = stream_entries(valkey.url)
        assert len(held) < 3_010
        assert held == log_entries(database_url)[: len(held)]
        client.config_set("maxmemory", 0)
        eventually(lambda: stream_length(valkey.url) == 3_010)
    assert holds_the_log(valkey.url, database_url)


def test_it_goes_on_after_postgresql_dropped_its_connections(
    writer: Writer, database_url: str, redis_url: str
) -> None:
    with publishing(database_url, redis_url), psycopg.connect(database_url) as conn:
        writer.write(1)
        eventually(lambda: stream_length(redis_url) == 1)
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        writer.write(1)
        eventually(lambda: stream_length(redis_url) == 2)
    assert holds_the_log(redis_url, database_url)


def test_it_waits_for_a_redis_that_is_not_there_yet(
    writer: Writer, database_url: str, valkey: BreakableValkey
) -> None:
    valkey.kill()
    writer.write(5)
    with publishing(database_url, valkey.url):
        valkey.start()
        eventually(lambda: stream_length(valkey.url) == 5)
    assert holds_the_log(valkey.url, database_url)


def test_a_stream_whose_beginning_was_trimmed_goes_on(
    writer: Writer, database_url: str, redis_url: str
) -> None:
    writer.write(10)
    with publishing(database_url, redis_url):
        eventually(lambda: stream_length(redis_url) == 10)
    with redis.from_url(redis_url) as client:
        client.xtrim(STREAM, maxlen=0, approximate=False)
    writer.write(2)
    with publishing(database_url, redis_url):
        eventually(lambda: stream_length(redis_url) == 2)
    assert stream_entries(redis_url) == log_entries(database_url)[10:]


def test_a_stream_that_goes_beyond_the_log_is_not_written_to(
    writer: Writer, database_url: str, redis_url: str
) -> None:
    writer.write(3)
    with redis.from_url(redis_url) as client:
        client.xadd(STREAM, {"id": "another/1"}, id="9-0")
    with pytest.raises(ForeignStream, match=r"position 9 .* another database"):
        publish.run(database_url, redis_url, Event())
    assert stream_length(redis_url) == 1


def test_a_stream_of_another_database_is_not_written_to(
    writer: Writer, database_url: str, redis_url: str, databases: Databases
) -> None:
    writer.write(3)
    with databases.fresh() as other_url, open_pool(other_url, 1) as pool:
        Writer(PostgresRecorder(pool)).write(2)
        with publishing(other_url, redis_url):
            eventually(lambda: stream_length(redis_url) == 2)
    with pytest.raises(ForeignStream):
        publish.run(database_url, redis_url, Event())
    assert stream_length(redis_url) == 2


def test_it_shows_a_sign_of_life_with_its_position(
    writer: Writer, database_url: str, redis_url: str
) -> None:
    writer.write(4)
    with publishing(database_url, redis_url):
        eventually(lambda: _last_seen_position(database_url) == 4)


def test_it_stops_soon_when_asked(database_url: str, redis_url: str) -> None:
    with publishing(database_url, redis_url):
        eventually(lambda: _last_seen_position(database_url) == 0)
        asked_at = time.monotonic()
    assert time.monotonic() - asked_at < 20


def _holds(redis_url: str, number: int) -> bool:
    return stream_length(redis_url) >= number


def _last_seen_position(database_url: str) -> int | None:
    with psycopg.connect(database_url) as conn:
        row = conn.execute("select position from rollbook.processes where name = 'publisher'")
        found = row.fetchone()
    return found[0] if found else None
