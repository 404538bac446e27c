"""Snapshots of programs with many seats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from directory.employees import Employee
from domain.program_snapshot import ProgramSnapshot
from domain.training_program import ProgramStatus, ProgramStatusError, TrainingProgram
from eventlog.pool import open_pool
from rollbook.assembly import snapshot_codec
from tests.domain.office import Office
from tests.domain.scenario import ACT
from workers.snapshot import Snapshotter

SEATS = 60


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    with open_pool(database_url, 4) as pool:
        yield Office(pool)


@pytest.fixture
def snapshotter(office: Office) -> Snapshotter:
    return Snapshotter(office.pool, office.codec, snapshot_codec())


def enroll_and_withdraw(office: Office, program_id: UUID, first: int, count: int) -> None:
    """Take `count` seats, each given back but for those of even numbers."""
    names = [f"e{number}" for number in range(first, first + count)]
    office.employees.put_many([Employee(name) for name in names])

    def all_of_them() -> None:
        for number, enrollment_id in enumerate(office.enroll(program_id, *names)):
            if number % 2:
                office.training.withdraw(enrollment_id, ACT)

    office.training.together(all_of_them)


def test_a_program_with_many_seats_is_loaded_from_its_snapshot(
    office: Office, snapshotter: Snapshotter
) -> None:
    program_id = office.program(capacity=SEATS)
    enroll_and_withdraw(office, program_id, 0, 80)
    assert snapshotter.take_page() == 1
    snapshot = ProgramSnapshot.of(office.the_program(program_id))
    assert office.snapshots.get(program_id) == snapshot
    # What is in the snapshot is believed, as this one shows that says something else than the log.
    office.snapshots.delete_all()
    office.snapshots.put(replace(snapshot, status=ProgramStatus.CLOSED))
    with pytest.raises(ProgramStatusError):
        office.enroll(program_id, "ann")


def test_what_came_since_the_snapshot_counts(office: Office, snapshotter: Snapshotter) -> None:
    program_id = office.program(capacity=41)
    enroll_and_withdraw(office, program_id, 0, 80)
    snapshotter.take_page()
    office.enroll(program_id, "ann", "bob")
    office.training.close_program(program_id, ACT)
    with pytest.raises(ProgramStatusError):
        office.enroll(program_id, "cyd")
    program = office.the_program(program_id)
    assert "ann" in program.seats
    assert list(program.waiting) == ["bob"]


def test_a_snapshot_is_taken_once_until_the_stream_has_grown_again(
    office: Office, snapshotter: Snapshotter
) -> None:
    program_id = office.program(capacity=SEATS)
    assert snapshotter.take_page() == 0
    enroll_and_withdraw(office, program_id, 0, 80)
    assert snapshotter.take_page() == 1
    assert snapshotter.take_page() == 0
    another = Snapshotter(office.pool, office.codec, snapshot_codec())
    assert another.take_page() == 0
    enroll_and_withdraw(office, program_id, 80, 80)
    assert snapshotter.take_page() == 1
    assert another.take_page() == 0


def test_a_spoiled_snapshot_gives_way_to_the_next(office: Office, snapshotter: Snapshotter) -> None:
    program_id = office.program(capacity=SEATS)
    enroll_and_withdraw(office, program_id, 0, 80)
    snapshotter.take_page()
    with office.pool.connection() as conn:
        conn.execute("update rollbook.snapshots set state = '[]'")
    enroll_and_withdraw(office, program_id, 80, 80)
    assert snapshotter.take_page() == 1
    snapshot = office.snapshots.get(program_id)
    assert snapshot == ProgramSnapshot.of(office.the_program(program_id))


def test_a_program_that_cannot_be_read_does_not_keep_others_from_their_snapshots(
    office: Office, snapshotter: Snapshotter
) -> None:
    spoiled, sound = office.program("SPOILED", capacity=SEATS), office.program(capacity=SEATS)
    enroll_and_withdraw(office, spoiled, 0, 80)
    enroll_and_withdraw(office, sound, 0, 80)
    version = office.the_program(spoiled).version + 1
    office.recorder.insert_events(
        [StoredEvent(spoiled, version, TrainingProgram.Created.TOPIC, b"{}")]
    )
    assert snapshotter.take_page() == 2
    assert office.snapshots.get(spoiled) is None
    assert office.snapshots.get(sound) is not None


def test_no_snapshot_is_taken_of_what_stays_short_or_is_no_program(
    office: Office, snapshotter: Snapshotter
) -> None:
    program_id = office.program()
    (ann,) = office.enroll(program_id, "ann")

    def record_often() -> None:
        for step in range(120):
            office.training.record_progress(ann, ACT, step / 10)

    office.training.together(record_often)
    assert snapshotter.take_page() == 0
    assert office.snapshots.get(program_id) is None
    assert office.load(TrainingProgram, program_id).version < 25
