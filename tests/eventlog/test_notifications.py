from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import (
    NotSupportedError,
    ProgrammingError,
)

from eventlog.pool import Connection
from eventlog.recorder import PostgresRecorder
from tests.eventlog.events import (
    a_stream,
    open_writer,
    stored,
)


def test_notifications_come_in_order(recorder: PostgresRecorder) -> None:
    recorder.insert_events(a_stream(5))
    ids = [event.id for event in recorder.select_notifications(2, 10)]
    assert ids == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ({"start": None, "limit": 2}, [1, 2]),
        ({"start": 2, "limit": 10, "inclusive_of_start": False}, [3, 4]),
        ({"start": 1, "limit": 10, "stop": 3}, [1, 2, 3]),
        ({"start": 1, "limit": 10, "topics": ("b.v1",)}, [2, 4]),
        ({"start": 1, "limit": 1, "topics": ("b.v1",)}, [2]),
        ({"start": 9, "limit": 1}, []),
    ],
)
def test_a_part_of_the_notifications(
    recorder: PostgresRecorder, arguments: dict[str, Any], ids: list[int]
) -> None:
    recorder.insert_events([stored(uuid4(), 1, topic) for topic in ("a.v1", "b.v1") * 2])
    assert [event.id for event in recorder.select_notifications(**arguments)] == ids


def test_notifications_stop_before_a_number_that_may_still_come(
    log_url: str, recorder: PostgresRecorder
) -> None:
    recorder.insert_events(a_stream(1))
    with open_writer(log_url) as writer:
        recorder.insert_events(a_stream(1))
        assert [event.id for event in recorder.select_notifications(None, 10)] == [1]
        assert recorder.max_notification_id() == 3
        writer.execute("commit")
    assert [event.id for event in recorder.select_notifications(None, 10)] == [1, 2, 3]


def test_a_transaction_does_not_wait_for_itself(recorder: PostgresRecorder) -> None:
    with recorder.transaction():
        recorder.insert_events(a_stream(1))
        with pytest.raises(ProgrammingError):
            recorder.select_notifications(None, 10)


def test_an_empty_log_has_no_highest_position(recorder: PostgresRecorder) -> None:
    assert recorder.max_notification_id() is None


def test_subscriptions_are_not_offered(recorder: PostgresRecorder) -> None:
    with pytest.raises(NotSupportedError, match="LogReader"):
        recorder.subscribe()


def test_psycopg_errors_do_not_escape(recorder: PostgresRecorder, conn: Connection) -> None:
    conn.execute("drop table rollbook.events cascade")
    with pytest.raises(ProgrammingError) as caught:
        recorder.select_events(uuid4())
    assert not isinstance(caught.value, psycopg.Error)
