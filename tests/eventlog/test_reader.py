from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import OperationalError, ProgrammingError

from eventlog.pool import Connection, open_connection
from eventlog.reader import LogReader
from eventlog.recorder import PostgresRecorder
from tests.eventlog.events import INSERT, a_stream, is_waiting_for_a_lock, open_writer, stored
from tests.patience import PATIENCE_SECONDS, eventually
from tests.servers import Databases


@pytest.fixture
def reader(log_url: str) -> Iterator[LogReader]:
    with open_connection(log_url) as conn:
        yield LogReader(conn)


def read(reader: LogReader, limit: int = 100) -> list[int]:
    return [event.id for event in reader.read(limit)]


def roll_back_one(conn: Connection) -> None:
    conn.execute("begin")
    conn.execute(INSERT, (uuid4(), 1, "coin.tossed.v1"))
    conn.execute("rollback")


def test_an_empty_log_has_nothing_to_read(reader: LogReader) -> None:
    assert reader.read(10) == []
    assert not reader.waiting


def test_events_arrive_as_they_were_stored(reader: LogReader, recorder: PostgresRecorder) -> None:
    event = stored(uuid4(), 7, state='{"b" : 1,"a":"ü"}')
    recorder.insert_events([event])
    (read,) = reader.read(10)
    assert (read.id, read.originator_id, read.originator_version, read.topic, read.state) == (
        1,
        event.originator_id,
        7,
        event.topic,
        event.state,
    )


def test_a_reader_goes_on_where_it_stopped(reader: LogReader, recorder: PostgresRecorder) -> None:
    recorder.insert_events(a_stream(5))
    assert [read(reader, 2), reader.position, read(reader, 2)] == [[1, 2], 2, [3, 4]]
    assert [read(reader, 2), read(reader, 2), reader.position] == [[5], [], 5]


def test_a_reader_starts_behind_a_position(conn: Connection, recorder: PostgresRecorder) -> None:
    recorder.insert_events(a_stream(5))
    assert read(LogReader(conn, after=3)) == [4, 5]


def test_numbers_that_were_rolled_back_are_passed_over(
    reader: LogReader, recorder: PostgresRecorder, conn: Connection
) -> None:
    for _ in range(3):
        roll_back_one(conn)
        recorder.insert_events(a_stream(2))
    assert read(reader) == [2, 3, 5, 6, 8, 9]


def test_a_hole_of_which_nobody_is_left_needs_no_waiting(
    reader: LogReader, recorder: PostgresRecorder, conn: Connection
) -> None:
    roll_back_one(conn)
    recorder.insert_events(a_stream(1))
    assert [event.id for event in reader.read(10, wait_seconds=0)] == [2]


def test_events_before_a_number_that_may_still_come_are_delivered_at_once(
    log_url: str, reader: LogReader, recorder: PostgresRecorder
) -> None:
    recorder.insert_events(a_stream(2))
    with open_writer(log_url) as writer:
        recorder.insert_events(a_stream(2))
        assert read(reader) == [1, 2]
        assert read(reader) == []
        assert reader.waiting
        writer.execute("commit")
    assert read(reader) == [3, 4, 5]
    assert not reader.waiting


def test_a_late_rollback_lets_the_reader_go_on(
    log_url: str, reader: LogReader, recorder: PostgresRecorder
) -> None:
    with open_writer(log_url) as writer:
        recorder.insert_events(a_stream(1))
        assert read(reader) == []
        writer.execute("rollback")
    assert read(reader) == [2]


def test_a_writer_whose_connection_breaks_lets_the_reader_go_on(
    log_url: str, reader: LogReader, recorder: PostgresRecorder
) -> None:
    with open_writer(log_url) as writer:
        recorder.insert_events(a_stream(1))
        assert read(reader) == []
        writer.close()
    assert [event.id for event in reader.read(10, wait_seconds=10)] == [2]


def test_all_holes_are_settled_together(
    log_url: str, reader: LogReader, recorder: PostgresRecorder, conn: Connection
) -> None:
    with ExitStack() as stack:
        writers = []
        for _ in range(4):
            writers.append(stack.enter_context(open_writer(log_url)))
            recorder.insert_events(a_stream(1))
            roll_back_one(conn)
        assert read(reader) == []
        for writer in writers:
            writer.execute("commit")
        assert read(reader) == [1, 2, 4, 5, 7, 8, 10, 11]


def test_a_reader_does_not_wait_for_writers_that_come_later(
    log_url: str, reader: LogReader, recorder: PostgresRecorder
) -> None:
    with open_writer(log_url) as first, open_writer(log_url):
        recorder.insert_events(a_stream(1))
        assert read(reader) == []
        with open_writer(log_url):
            first.execute("commit")
            assert read(reader) == [1]


@pytest.mark.parametrize(
    "unrelated",
    [
        "select count(*) from rollbook.events",
        "create table other (n int)",
        "select position from rollbook.events for update",
        "lock table rollbook.events in share update exclusive mode",
        "insert into rollbook.snapshots values (gen_random_uuid(), 1, 'x', '{}')",
        "select pg_advisory_xact_lock(1)",
    ],
)
def test_a_reader_does_not_wait_for_transactions_that_do_not_write_events(
    log_url: str, reader: LogReader, recorder: PostgresRecorder, conn: Connection, unrelated: str
) -> None:
    with open_connection(log_url) as other:
        other.execute("begin")
        other.execute(unrelated.encode())
        roll_back_one(conn)
        recorder.insert_events(a_stream(1))
        assert [event.id for event in reader.read(10, wait_seconds=0)] == [2]


def test_a_writer_of_another_database_is_not_waited_for(
    databases: Databases, reader: LogReader, recorder: PostgresRecorder, conn: Connection
) -> None:
    with databases.fresh() as other_url, open_writer(other_url) as other:
        # Databases of one template have the same numbers for their tables.
        number = "select 'rollbook.events'::regclass::oid"
        assert other.execute(number).fetchone() == conn.execute(number).fetchone()
        roll_back_one(conn)
        recorder.insert_events(a_stream(1))
        assert [event.id for event in reader.read(10, wait_seconds=0)] == [2]


def test_a_savepoint_that_was_rolled_back_leaves_only_a_hole(
    log_url: str, reader: LogReader, recorder: PostgresRecorder
) -> None:
    with open_connection(log_url) as other:
        other.execute("begin")
        other.execute("savepoint s")
        other.execute(INSERT, (uuid4(), 1, "coin.tossed.v1"))
        other.execute("rollback to savepoint s")
        other.execute(INSERT, (uuid4(), 1, "coin.tossed.v1"))
        recorder.insert_events(a_stream(1))
        assert read(reader) == []
        other.execute("commit")
        assert read(reader) == [2, 3]


def test_writers_that_are_waiting_for_the_table_have_no_number_yet(
    log_url: str, reader: LogReader, recorder: PostgresRecorder, conn: Connection
) -> None:
    roll_back_one(conn)
    recorder.insert_events(a_stream(1))
    with open_connection(log_url) as indexer, open_connection(log_url) as writer:
        indexer.execute("begin")
        indexer.execute("lock table rollbook.events in share mode")
        with ThreadPoolExecutor(1) as thread:
            done = thread.submit(writer.execute, INSERT, (uuid4(), 1, "coin.tossed.v1"))
            eventually(lambda: is_waiting_for_a_lock(conn))
            assert [event.id for event in reader.read(10, wait_seconds=0)] == [2]
            indexer.execute("commit")
            done.result(timeout=PATIENCE_SECONDS)
    assert read(reader) == [3]


def test_many_readers_see_the_same_order(log_url: str, recorder: PostgresRecorder) -> None:
    with ExitStack() as stack:
        readers = [LogReader(stack.enter_context(open_connection(log_url))) for _ in range(3)]
        recorder.insert_events(a_stream(3))
        assert [read(reader) for reader in readers] == [[1, 2, 3]] * 3


def test_a_connection_that_is_not_in_autocommit_mode_is_refused(log_url: str) -> None:
    with psycopg.connect(log_url) as conn, pytest.raises(ProgrammingError, match="autocommit"):
        LogReader(conn)


def test_a_lost_connection_is_an_operational_error(log_url: str) -> None:
    with open_connection(log_url) as conn:
        reader = LogReader(conn)
        conn.close()
        with pytest.raises(OperationalError):
            reader.read(10)
