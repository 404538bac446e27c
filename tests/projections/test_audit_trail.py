"""The audit trail says what the events say."""

from __future__ import annotations

from dataclasses import replace
from threading import Event as Signal
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import Notification, StoredEvent
from msgspec.structs import astuple

from directory.personal_keys import PersonalKey
from domain.events import ALL_EVENTS
from domain.training_program import TrainingProgram
from eventlog.pool import open_connection, open_pool
from eventlog.reader import LogReader, RowReader
from eventlog.recorder import PostgresRecorder
from projections.audit_trail import AUDIT_TRAIL, TrailRow
from projections.batch import Lockstep, Stored
from projections.decoding import decoded
from projections.lease import Lease
from tests.domain.samples import full, sparse
from tests.domain.test_golden_topics import GOLDEN
from tests.workers.world import CODEC
from workers.rebuild import rebuild
from workers.verify import verify

KEYS = {"e-1001": PersonalKey(bytes(range(32)))}


def by_hand(stored: Notification) -> TrailRow:
    """The row of an event, from what it says."""
    event: Any = CODEC.to_domain_event(stored)
    is_program = isinstance(event, TrainingProgram.Event)
    return TrailRow(
        position=stored.id,
        stream_id=event.originator_id,
        version=event.originator_version,
        topic=event.TOPIC,
        actor=event.provenance.actor,
        role=event.provenance.role,
        program_id=event.originator_id if is_program else getattr(event, "program_id", None),
        employee_id=getattr(event, "employee_id", None),
        correlation_id=event.provenance.correlation_id,
        effective_at=event.effective_at,
        recorded_at=event.timestamp,
    )


def store_samples(url: str) -> None:
    """Both samples of every event, each in a stream of its own."""
    with open_pool(url, 1) as pool:
        for sample in (make(cls) for cls in ALL_EVENTS for make in (full, sparse)):
            stored = CODEC.to_stored_event(_with_own_number(sample), KEYS)
            alone = StoredEvent(uuid4(), 1, stored.topic, stored.state)
            PostgresRecorder(pool).insert_events([alone])


def _with_own_number(event: Any) -> Any:
    return replace(event, number=str(uuid4())) if hasattr(event, "number") else event


def project(url: str, size: int) -> None:
    """Take the log into the trail, so many events at a time."""
    with open_connection(url) as reading, open_connection(url) as writing:
        lease = Lease("rollbook_read")
        progress = lease.take(writing, [AUDIT_TRAIL])["audit_trail"]
        trail = Lockstep(lease, [Stored(writing, AUDIT_TRAIL, "rollbook_read", progress)])
        reader = RowReader(reading, progress.position)
        while rows := reader.read(size):
            trail.apply(writing, decoded(CODEC, writing, rows))
        lease.give_back(writing)


def trail(url: str) -> list[Any]:
    with open_connection(url) as conn:
        conn.execute("SET timezone = 'UTC'")
        return conn.execute("SELECT * FROM rollbook_read.audit_trail ORDER BY position").fetchall()


def test_an_event_of_a_topic_that_is_written_no_more_stands_under_that_one(
    database_url: str,
) -> None:
    old = (GOLDEN / "enrollment.completed.v1.jsonl").read_bytes().splitlines()[0]
    with open_pool(database_url, 1) as pool:
        PostgresRecorder(pool).insert_events(
            [StoredEvent(uuid4(), 1, "enrollment.completed.v1", old)]
        )
    project(database_url, 10)
    [(_, _, _, topic, *_)] = trail(database_url)
    assert topic == "enrollment.completed.v1"


@pytest.mark.parametrize("size", [7, 1000])
def test_the_trail_has_the_rows_that_a_fold_by_hand_makes(database_url: str, size: int) -> None:
    store_samples(database_url)
    project(database_url, size)
    with open_connection(database_url) as conn:
        expected = [astuple(by_hand(event)) for event in LogReader(conn).read(1000)]
    assert len(expected) == 2 * len(ALL_EVENTS)
    assert trail(database_url) == expected


def test_the_trail_is_verified_and_rebuilt_as_any_table(database_url: str) -> None:
    store_samples(database_url)
    project(database_url, 1000)
    before = trail(database_url)
    with open_connection(database_url) as conn:
        conn.execute("UPDATE rollbook_read.audit_trail SET actor = 'nobody' WHERE version = 1")
    [verdict] = verify(database_url, CODEC, [AUDIT_TRAIL], Signal())
    assert (verdict.digest_matches, verdict.differences) == (True, len(before))
    rebuild(database_url, CODEC, [AUDIT_TRAIL], Signal())
    assert trail(database_url) == before
    [verdict] = verify(database_url, CODEC, [AUDIT_TRAIL], Signal())
    assert verdict.holds


def test_an_event_that_cannot_be_decoded_is_on_the_trail_and_one_without_an_actor_is_parked(
    database_url: str,
) -> None:
    good = CODEC.to_stored_event(full(TrainingProgram.Published))
    strange = StoredEvent(uuid4(), 1, "program.invented.v9", good.state)
    broken = StoredEvent(uuid4(), 1, good.topic, b'{"provenance": {}}')
    with open_pool(database_url, 1) as pool:
        PostgresRecorder(pool).insert_events([good, strange, broken])
    with open_connection(database_url) as conn:
        conn.execute("SET timezone = 'UTC'")
        lease = Lease("rollbook_read")
        progress = lease.take(conn, [AUDIT_TRAIL])["audit_trail"]
        stored = Stored(conn, AUDIT_TRAIL, "rollbook_read", progress)
        entries = decoded(CODEC, conn, RowReader(conn).read(10))
        Lockstep(lease, [stored]).apply(conn, entries)
        parked = conn.execute("SELECT position FROM rollbook_read.parked").fetchall()
    assert [row[3] for row in trail(database_url)] == [good.topic, strange.topic]
    assert parked == [(entries[2][0],)]
