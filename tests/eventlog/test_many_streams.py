from __future__ import annotations

from uuid import uuid4

from eventsourcing.persistence import StoredEvent

from eventlog.many_streams import existing_streams
from eventlog.pool import Connection
from eventlog.recorder import PostgresRecorder


def event(stream_id: object, version: int) -> StoredEvent:
    return StoredEvent(stream_id, version, "toy.played.v1", b'{"n": %d}' % version)  # type: ignore[arg-type]


def test_the_streams_that_have_events_are_told_apart(
    conn: Connection, recorder: PostgresRecorder
) -> None:
    there, missing = uuid4(), uuid4()
    recorder.insert_events([event(there, 1), event(there, 2), event(uuid4(), 1)])
    assert existing_streams(conn, [there, missing]) == {there}
    assert existing_streams(conn, []) == set()


def test_each_stream_is_read_in_order_of_version(recorder: PostgresRecorder) -> None:
    one, other, missing = uuid4(), uuid4(), uuid4()
    recorder.insert_events([event(one, 1), event(other, 1), event(one, 2), event(uuid4(), 1)])
    found = recorder.select_streams([one, other, missing])
    assert found == {one: [event(one, 1), event(one, 2)], other: [event(other, 1)], missing: []}
