"""What each event of an enrollment makes of its row in the listing, and what the row is worth."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from domain.enrollment import Enrollment, Source
from domain.events import ALL_EVENTS
from projections.enrollment_listing import (
    COUNTED,
    EMPLOYEE_SCORES,
    ENROLLMENT_LISTING,
    ENROLLMENTS_BY_BEGINNING,
)
from projections.enrollment_row import EnrollmentRow, PastCycle
from tests.domain.facts import (
    NUMBER,
    PROGRAM_ID,
    PROMOTED,
    VOIDED,
    WITHDRAWN,
    ann_enrolled,
    ann_waitlisted,
    certified,
    completed,
    corrected,
    failed,
    progressed,
    revoked,
)
from tests.domain.samples import full
from tests.domain.scenario import LONG_AGO, Fact
from tests.projections.rows import events_of, rows_after, summed, the_row

ANN_ID = Enrollment.id_of(PROGRAM_ID, "ann")
BOB_ID = Enrollment.id_of(PROGRAM_ID, "bob")
OTHER_NUMBER = "RB-00000-00000-00000-00000"


def day(number: int) -> datetime:
    return datetime(2026, 2, number, tzinfo=UTC)


def row(*facts: Fact) -> EnrollmentRow:
    return the_row(ENROLLMENT_LISTING, ANN_ID, *facts)


# The cycle.


def test_an_enrollment_begins_with_a_place() -> None:
    begun = row(ann_enrolled(source=Source.SELF, due_on=date(2026, 6, 30), program_revision=3))
    assert (begun.id, begun.program_id, begun.employee_id) == (ANN_ID, PROGRAM_ID, "ann")
    assert (begun.status, begun.version, begun.cycle) == ("enrolled", 1, 1)
    assert (begun.source, begun.department) == ("self", "Sales")
    assert (begun.due_on, begun.program_revision) == (date(2026, 6, 30), 3)
    assert begun.began_at == begun.enrolled_at == LONG_AGO
    assert (begun.percent, begun.score_percent, begun.grade) == (0, None, None)
    assert (begun.started_at, begun.progressed_at, begun.ended_at) == (None, None, None)
    assert begun.changed_at == LONG_AGO + timedelta(minutes=1)


def test_an_enrollment_begins_on_the_waiting_list() -> None:
    begun = row(ann_waitlisted())
    assert (begun.status, begun.began_at, begun.enrolled_at) == ("waitlisted", LONG_AGO, None)


def test_a_promotion_gives_the_place_later_than_the_beginning() -> None:
    in_it = row(ann_waitlisted(), PROMOTED.at(day(3)))
    assert (in_it.status, in_it.began_at, in_it.enrolled_at) == ("enrolled", LONG_AGO, day(3))


def test_a_new_cycle_begins_afresh_and_keeps_the_best_score_of_the_completed_ones() -> None:
    first = (ann_enrolled(), progressed(100), completed(80, "B"), certified())
    second = row(*first, ann_waitlisted(2).at(day(5)))
    begun = row(ann_waitlisted(2).at(day(5)))
    past = (PastCycle.of(row(*first)),)
    assert second == replace(begun, version=5, past_score_percent=80, past_cycles=past)
    assert (past[0].cycle, past[0].status, past[0].certificate_number) == (1, "completed", NUMBER)
    third = (*first, ann_enrolled(2), completed(60), ann_enrolled(3))
    assert row(*third).past_score_percent == 80
    better = (*first, ann_enrolled(2), completed(90), ann_enrolled(3))
    assert row(*better).past_score_percent == 90


def test_a_past_cycle_loses_its_certificate_when_that_is_revoked() -> None:
    first = (ann_enrolled(), completed(80, "B"), certified())
    second = row(*first, ann_enrolled(2), completed(), certified(OTHER_NUMBER, cycle=2), revoked())
    assert [past.certificate_number for past in second.past_cycles] == [None]
    assert second.certificate_number == OTHER_NUMBER


def test_the_score_of_a_failed_cycle_is_not_among_the_best() -> None:
    assert row(ann_enrolled(), failed(40), ann_enrolled(2)).past_score_percent is None
    assert row(ann_enrolled(), failed(40)).best_score_percent is None


# On the way and at the end.


def test_progress_starts_the_enrollment_once() -> None:
    going = row(ann_enrolled(), progressed(10, 55).at(day(2)), progressed(30).at(day(4)))
    assert (going.status, going.percent) == ("in_progress", 30)
    assert (going.started_at, going.progressed_at) == (day(2), day(4))
    assert (going.progress_score_percent, going.score_percent) == (55, None)


def test_a_correction_changes_the_percent_alone() -> None:
    before = row(ann_enrolled(), progressed(50))
    after = row(ann_enrolled(), progressed(50), corrected(50, 20))
    assert after == replace(before, version=3, percent=20)


@pytest.mark.parametrize(
    ("end", "status", "score_percent", "grade"),
    [
        (completed(91, "A"), "completed", 91, "A"),
        (completed(), "completed", None, None),
        (failed(31.5), "failed", 31.5, None),
        (WITHDRAWN, "withdrawn", None, None),
    ],
)
def test_a_cycle_ends(
    end: Fact, status: str, score_percent: float | None, grade: str | None
) -> None:
    ended = row(ann_enrolled(), progressed(50), end.at(day(9)))
    assert (ended.status, ended.ended_at) == (status, day(9))
    assert (ended.score_percent, ended.grade, ended.percent) == (score_percent, grade, 50)


def test_a_completion_without_progress_starts_the_cycle_for_good() -> None:
    assert row(ann_enrolled(), completed().at(day(9))).started_at == day(9)
    assert row(ann_enrolled(), completed().at(day(9)), VOIDED).started_at == day(9)


def test_a_voided_completion_never_was() -> None:
    past = (ann_enrolled(), progressed(50))
    voided = row(*past, completed(91, "A").at(day(9)), VOIDED)
    assert voided == replace(row(*past), version=4)


# The certificate.


def test_the_certificate_of_the_cycle_is_shown_until_it_is_revoked() -> None:
    past = (ann_enrolled(), completed(), certified())
    assert row(*past).certificate_number == NUMBER
    assert row(*past, revoked()).certificate_number is None
    again = row(*past, revoked(), certified(OTHER_NUMBER))
    assert again.certificate_number == OTHER_NUMBER


def test_the_end_of_a_former_certificate_leaves_the_present_one() -> None:
    first = (ann_enrolled(), completed(), certified())
    second = (*first, ann_enrolled(2), completed(), certified(OTHER_NUMBER, cycle=2))
    assert row(*first, ann_enrolled(2)).certificate_number is None
    assert row(*second, revoked(NUMBER)).certificate_number == OTHER_NUMBER


def test_a_certificate_of_an_earlier_cycle_is_not_that_of_the_present_one() -> None:
    late = (ann_enrolled(), completed(), ann_enrolled(2), certified(cycle=1))
    assert row(*late).certificate_number is None


# Rows and events.


def test_one_enrollment_leaves_the_row_of_another_as_it_is() -> None:
    bob = ann_enrolled(employee_id="bob")
    of_ann = events_of(ANN_ID, ann_enrolled(), progressed(50))
    of_bob = events_of(BOB_ID, bob)
    rows = rows_after(ENROLLMENT_LISTING, [*of_bob, *of_ann])
    assert rows[BOB_ID] == the_row(ENROLLMENT_LISTING, BOB_ID, bob)
    assert rows[ANN_ID].percent == 50


@pytest.mark.parametrize(
    "event_class", [it for it in ALL_EVENTS if it.TOPIC.startswith("enrollment.")]
)
def test_every_event_of_an_enrollment_concerns_the_table(event_class: type[Any]) -> None:
    event = full(event_class)
    assert ENROLLMENT_LISTING.keys[event_class](event) == event.originator_id.int


@pytest.mark.parametrize(
    "event_class",
    [
        it
        for it in ENROLLMENT_LISTING.keys
        if it not in {Enrollment.Enrolled, Enrollment.Waitlisted}
    ],
)
def test_an_event_without_a_row_makes_none(event_class: type[Any]) -> None:
    assert ENROLLMENT_LISTING.evolve(None, full(event_class)) is None


# What the rows add up to.


@pytest.mark.parametrize(
    ("facts", "counted_as"),
    [
        ((ann_waitlisted(),), "waitlisted"),
        ((ann_enrolled(),), "enrolled"),
        ((ann_enrolled(), progressed(0)), "in_progress"),
        ((ann_enrolled(), completed()), "completed"),
        ((ann_enrolled(), failed()), "failed"),
        ((ann_enrolled(), progressed(1), WITHDRAWN), "withdrawn"),
        ((ann_enrolled(), WITHDRAWN), "cancelled"),
        ((ann_waitlisted(), WITHDRAWN), "cancelled"),
        ((ann_enrolled(), completed(), VOIDED), "in_progress"),
    ],
)
def test_an_enrollment_is_counted_once_as_what_it_is(
    facts: tuple[Fact, ...], counted_as: str
) -> None:
    assert summed(ENROLLMENTS_BY_BEGINNING, "enrollment_counts", [row(*facts)]) == {
        (PROGRAM_ID, "Sales"): dict.fromkeys(COUNTED, 0) | {counted_as: 1}
    }


def test_enrollments_are_counted_by_program_and_department_of_the_day() -> None:
    sales, nowhere = row(ann_enrolled()), row(ann_enrolled(department=None))
    counts = summed(ENROLLMENTS_BY_BEGINNING, "enrollment_counts", [sales, sales, nowhere])
    assert {key: amounts["enrolled"] for key, amounts in counts.items()} == {
        (PROGRAM_ID, "Sales"): 2,
        (PROGRAM_ID, ""): 1,
    }


def test_an_employee_scores_the_best_of_each_program_in_hundredths() -> None:
    eighty = row(ann_enrolled(), completed(80.25))
    ninety = row(ann_enrolled(), completed(90), ann_enrolled(2), completed(70))
    running = row(ann_enrolled(), progressed(50))
    unscored = row(ann_enrolled(), completed())
    assert summed(EMPLOYEE_SCORES, "employee_scores", [eighty, ninety, running, unscored]) == {
        ("ann",): {"programs": 2, "score_hundredths": 17_025}
    }
