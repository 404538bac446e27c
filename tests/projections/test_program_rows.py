"""What each event of a program makes of its row in the listing."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.events import ALL_EVENTS
from domain.program_details import Certification, Issuing, ProgramDetails
from domain.training_program import ProgramStatus, TrainingProgram
from projections.program_listing import PROGRAM_LISTING, PROGRAMS_BY_STATUS, ProgramRow
from tests.domain.facts import (
    ARCHIVED,
    BEGAN,
    CLOSED,
    DELETED,
    OTHER_PROGRAM_ID,
    PROGRAM_ID,
    PUBLISHED,
    RESTORED,
    created,
    left_waitlist,
    promoted,
    revised,
    seat_released,
    seat_taken,
    waitlisted,
)
from tests.domain.samples import DETAILS, full
from tests.domain.scenario import LONG_AGO, Fact, fact
from tests.projections.rows import events_of, rows_after, summed, the_row

LATER = datetime(2026, 2, 1, tzinfo=UTC)


def row(*facts: Fact) -> ProgramRow:
    return the_row(PROGRAM_LISTING, PROGRAM_ID, *facts)


def test_a_draft_has_all_its_details_and_nobody_in_it() -> None:
    drafted = row(fact(TrainingProgram.Created, details=DETAILS))
    assert drafted.id == PROGRAM_ID
    assert (drafted.status, drafted.version, drafted.revision) == ("draft", 1, 1)
    assert (drafted.seats_taken, drafted.waiting) == (0, 0)
    assert (drafted.created_at, drafted.published_at) == (LONG_AGO, None)
    assert drafted.changed_at == LONG_AGO + timedelta(minutes=1)
    assert details_in(drafted) == details_of(DETAILS)


def details_in(of: ProgramRow) -> dict[str, object]:
    return {name: getattr(of, name) for name in details_of(DETAILS)}


def details_of(details: ProgramDetails) -> dict[str, object]:
    plain = {it.name: getattr(details, it.name) for it in fields(ProgramDetails)}
    of_certification = {
        f"certification_{it.name}": getattr(details.certification, it.name)
        for it in fields(Certification)
    }
    del plain["certification"]
    return plain | of_certification


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ((), ProgramStatus.DRAFT),
        ((PUBLISHED,), ProgramStatus.PUBLISHED),
        ((PUBLISHED, CLOSED), ProgramStatus.CLOSED),
        ((PUBLISHED, CLOSED, PUBLISHED), ProgramStatus.PUBLISHED),
        ((PUBLISHED, CLOSED, ARCHIVED), ProgramStatus.ARCHIVED),
        ((PUBLISHED, CLOSED, ARCHIVED, RESTORED), ProgramStatus.CLOSED),
    ],
)
def test_the_status_follows_the_life_of_the_program(
    facts: tuple[Fact, ...], status: ProgramStatus
) -> None:
    assert row(created(), *facts).status == status


def test_the_day_of_publishing_is_the_first() -> None:
    first = row(created(), PUBLISHED.at(LONG_AGO), CLOSED, PUBLISHED.at(LATER))
    assert first.published_at == LONG_AGO


def test_a_revision_changes_what_it_names_and_nothing_else() -> None:
    before = row(created(category="Safety", capacity=3))
    after = row(created(category="Safety", capacity=3), revised(2, title="New", capacity=None))
    assert (after.title, after.capacity, after.revision) == ("New", None, 2)
    assert details_in(after) == details_in(before) | {"title": "New", "capacity": None}


def test_a_revision_can_change_the_certification() -> None:
    by_hand = Certification(offered=True, title="T", issued=Issuing.MANUALLY, valid_for_months=6)
    after = row(created(), revised(2, certification=by_hand))
    assert (after.certification_offered, after.certification_title) == (True, "T")
    assert (after.certification_issued, after.certification_valid_for_months) == ("manually", 6)


@pytest.mark.parametrize(
    ("facts", "seats_taken", "waiting"),
    [
        ((seat_taken("ann"),), 1, 0),
        ((seat_taken("ann"), waitlisted("bob")), 1, 1),
        ((seat_taken("ann"), waitlisted("bob"), waitlisted("cyd")), 1, 2),
        ((seat_taken("ann"), waitlisted("bob"), left_waitlist("bob")), 1, 0),
        ((seat_taken("ann"), seat_released("ann")), 0, 0),
        ((seat_taken("ann"), waitlisted("bob"), seat_released("ann"), promoted("bob")), 1, 0),
    ],
)
def test_seats_and_waiting_are_counted(
    facts: tuple[Fact, ...], seats_taken: int, waiting: int
) -> None:
    counted = row(created(capacity=1), PUBLISHED, BEGAN, *facts)
    assert (counted.seats_taken, counted.waiting) == (seats_taken, waiting)


def test_every_event_moves_the_version_and_the_time_of_change() -> None:
    after = row(created(), PUBLISHED, BEGAN.at(LATER))
    assert after.version == 3
    assert after.changed_at == LATER + timedelta(minutes=1)


def test_a_deleted_program_has_no_row_and_another_one_keeps_its_own() -> None:
    gone = events_of(PROGRAM_ID, created(), DELETED)
    kept = events_of(OTHER_PROGRAM_ID, created(code="KEPT"))
    rows = rows_after(PROGRAM_LISTING, [*gone[:1], *kept, *gone[1:]])
    assert rows.keys() == {OTHER_PROGRAM_ID}
    assert rows == rows_after(PROGRAM_LISTING, kept)


@pytest.mark.parametrize(
    "event_class", [it for it in ALL_EVENTS if it.TOPIC.startswith("program.")]
)
def test_every_event_of_a_program_concerns_the_table(event_class: type[Any]) -> None:
    event = full(event_class)
    assert PROGRAM_LISTING.keys[event_class](event) == event.originator_id.int


@pytest.mark.parametrize(
    "event_class", [it for it in PROGRAM_LISTING.keys if it is not TrainingProgram.Created]
)
def test_an_event_without_a_row_makes_none(event_class: type[Any]) -> None:
    assert PROGRAM_LISTING.evolve(None, full(event_class)) is None


def test_folding_changes_no_row_that_was_there() -> None:
    before = row(created(capacity=2))
    (event,) = events_of(PROGRAM_ID, seat_taken("ann"))
    after = PROGRAM_LISTING.evolve(before, event)
    assert after is not before
    assert before == row(created(capacity=2))


def test_programs_are_counted_by_status() -> None:
    rows = [row(created()), row(created(), PUBLISHED), row(created(), PUBLISHED)]
    assert summed(PROGRAMS_BY_STATUS, "programs_by_status", rows) == {
        ("draft",): {"programs": 1},
        ("published",): {"programs": 2},
    }
