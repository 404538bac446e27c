from __future__ import annotations

from uuid import uuid4

import pytest
from eventsourcing.persistence import (
    DataError,
    IntegrityError,
    ProgrammingError,
)

from eventlog.errors import FactConflictError, VersionConflictError
from eventlog.insertion import MAX_EVENTS, insert
from eventlog.pool import Connection, Pool
from eventlog.recorder import PostgresRecorder
from tests.eventlog.events import (
    CODE,
    NUMBER,
    a_stream,
    count,
    open_writer,
    stored,
)


def test_appended_events_are_read_back_as_they_were(recorder: PostgresRecorder) -> None:
    stream = uuid4()
    odd_spacing = '{"b" :1,\n "a": "ü \\"quoted\\" %s",  "b":2}'
    events = [stored(stream, 1, "coin.tossed.v1", odd_spacing), stored(stream, 2, "x.v1")]
    recorder.insert_events(events)
    assert recorder.select_events(stream) == events


def test_one_event_gets_the_next_position(recorder: PostgresRecorder) -> None:
    assert recorder.insert_events(a_stream(1)) == [1]
    assert recorder.insert_events(a_stream(1)) == [2]


def test_appends_go_on_when_prepared_statements_are_let_go_of_in_between(conn: Connection) -> None:
    insert(conn, a_stream(1))
    conn.execute("deallocate all")
    for length in (2, 1, 2, 1):
        insert(conn, a_stream(length))
    assert count(conn) == 7


def test_no_events_are_no_work(recorder: PostgresRecorder) -> None:
    assert recorder.insert_events([]) == []


def test_positions_rise_in_the_order_given(recorder: PostgresRecorder, conn: Connection) -> None:
    # Streams in an order that no index would give, and versions falling.
    events = [stored(uuid4(), version) for version in range(1000, 0, -1)]
    positions = recorder.insert_events(events)
    assert positions == sorted(positions)
    rows = conn.execute("select stream_id, version from rollbook.events order by position")
    assert rows.fetchall() == [(e.originator_id, e.originator_version) for e in events]


def test_the_largest_append_is_one_statement(recorder: PostgresRecorder) -> None:
    assert len(recorder.insert_events(a_stream(MAX_EVENTS))) == MAX_EVENTS


def test_more_events_than_one_statement_takes_are_refused(recorder: PostgresRecorder) -> None:
    with pytest.raises(ProgrammingError, match=str(MAX_EVENTS)):
        recorder.insert_events(a_stream(MAX_EVENTS + 1))


def test_a_version_that_is_taken_is_a_conflict(recorder: PostgresRecorder) -> None:
    stream = uuid4()
    recorder.insert_events([stored(stream, 1)])
    with pytest.raises(VersionConflictError) as caught:
        recorder.insert_events([stored(stream, 1, state='{"other": 1}')])
    assert isinstance(caught.value, IntegrityError)
    assert str(stream) in str(caught.value)


def test_the_same_event_again_is_a_conflict_too(recorder: PostgresRecorder) -> None:
    event = a_stream(1)
    recorder.insert_events(event)
    with pytest.raises(VersionConflictError):
        recorder.insert_events(event)


def test_of_several_events_all_are_stored_or_none(
    recorder: PostgresRecorder, conn: Connection
) -> None:
    events = a_stream(3)
    recorder.insert_events(events[2:])
    with pytest.raises(VersionConflictError):
        recorder.insert_events(events)
    assert count(conn) == 1


def test_streams_do_not_wait_for_each_other(log_url: str, recorder: PostgresRecorder) -> None:
    with open_writer(log_url):
        recorder.insert_events(a_stream(1))


def test_a_unique_fact_is_stated_once(recorder: PostgresRecorder) -> None:
    recorder.insert_events([stored(uuid4(), 1, NUMBER.topic, '{"number": "7"}')])
    recorder.insert_events([stored(uuid4(), 1, NUMBER.topic, '{"number": "8"}')])
    recorder.insert_events([stored(uuid4(), 1, CODE.topic, '{"number": "7"}')])
    with pytest.raises(FactConflictError) as caught:
        recorder.insert_events([stored(uuid4(), 1, NUMBER.topic, '{"number": "7"}')])
    assert (caught.value.topic, caught.value.field) == (NUMBER.topic, "number")


@pytest.mark.parametrize(
    ("state", "error"),
    [("not json", DataError), ('{"number": "\\u0000"}', DataError)],
)
def test_an_error_of_the_database_is_told_without_sql(
    recorder: PostgresRecorder, state: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        recorder.insert_events([stored(uuid4(), 1, NUMBER.topic, state)])
    assert "insert" not in str(caught.value).lower()


def test_the_bell_rings_after_each_append_and_not_after_a_refused_one(log_pool: Pool) -> None:
    rings: list[int] = []
    recorder = PostgresRecorder(log_pool, on_append=lambda: rings.append(1))
    event = a_stream(1)
    recorder.insert_events(event)
    with pytest.raises(IntegrityError):
        recorder.insert_events(event)
    assert len(rings) == 1
