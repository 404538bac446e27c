"""The newest snapshot of each stream, as a cache keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from eventlog.recorder import PostgresRecorder
from eventlog.snapshots import Snapshots
from tests.eventlog.events import a_stream


@dataclass(frozen=True)
class Purse:
    TOPIC: ClassVar[str] = "purse.snapshot.v2"
    originator_id: UUID
    originator_version: int
    coins: tuple[str, ...]


@dataclass(frozen=True)
class OldPurse:
    TOPIC: ClassVar[str] = "purse.snapshot.v1"
    originator_id: UUID
    originator_version: int
    coins: int


@pytest.fixture
def snapshots(recorder: PostgresRecorder) -> Snapshots:
    return Snapshots(recorder, EventCodec([Purse]))


def test_a_snapshot_is_read_back_as_it_was(snapshots: Snapshots) -> None:
    purse, other = Purse(uuid4(), 3, ("penny", "dime")), Purse(uuid4(), 1, ())
    snapshots.put(purse)
    snapshots.put(other)
    assert snapshots.get(purse.originator_id) == purse


def test_a_stream_without_a_snapshot_has_none(snapshots: Snapshots) -> None:
    assert snapshots.get(uuid4()) is None


def test_a_later_version_takes_the_place_of_an_earlier_one(snapshots: Snapshots) -> None:
    stream = uuid4()
    for version in (3, 5, 4):
        snapshots.put(Purse(stream, version, (str(version),)))
    assert snapshots.get(stream) == Purse(stream, 5, ("5",))


def test_a_snapshot_of_an_older_shape_is_not_used_and_gives_way(
    snapshots: Snapshots, recorder: PostgresRecorder
) -> None:
    stream = uuid4()
    Snapshots(recorder, EventCodec([OldPurse])).put(OldPurse(stream, 9, 2))
    assert snapshots.get(stream) is None
    snapshots.put(Purse(stream, 9, ("penny", "dime")))
    assert snapshots.get(stream) == Purse(stream, 9, ("penny", "dime"))


@pytest.mark.parametrize("garbage", ["{}", "[]", '"x"', "7", '{"coins": 7}', "null"])
def test_a_snapshot_that_cannot_be_read_is_not_used(
    snapshots: Snapshots, conn: Connection, garbage: str
) -> None:
    purse = Purse(uuid4(), 3, ("penny",))
    snapshots.put(purse)
    conn.execute("update rollbook.snapshots set state = %s", (garbage,))
    assert snapshots.get(purse.originator_id) is None


def test_all_snapshots_can_be_forgotten(snapshots: Snapshots) -> None:
    purse = Purse(uuid4(), 3, ())
    snapshots.put(purse)
    snapshots.delete_all()
    assert snapshots.get(purse.originator_id) is None


def test_streams_are_told_that_grew_by_25_since_their_snapshot(
    snapshots: Snapshots, recorder: PostgresRecorder
) -> None:
    kept, grown, short = a_stream(30), a_stream(50), a_stream(24)
    *_, last_kept = recorder.insert_events(kept)
    positions = recorder.insert_events(grown)
    recorder.insert_events(short)

    def wanted(after: int) -> list[tuple[object, int]]:
        return list(snapshots.wanted([kept[0].topic], Purse.TOPIC, after, 10))

    assert wanted(0) == [
        (kept[0].originator_id, last_kept - 5),
        (grown[0].originator_id, positions[49]),
    ]
    snapshots.put(Purse(UUID(str(kept[0].originator_id)), 27, ()))
    assert wanted(0) == [(grown[0].originator_id, positions[49])]
    assert wanted(positions[49]) == []
    assert snapshots.wanted(["another.topic.v1"], Purse.TOPIC, 0, 10) == []
