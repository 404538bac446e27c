"""Seats and the waiting list of a program of limited capacity."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.training_program import (
    Admission,
    CapacityBelowSeatsError,
    EnrollmentDeadlineError,
    TrainingProgram,
)
from tests.domain.facts import (
    BEGAN,
    CLOSED,
    PUBLISHED,
    created,
    details,
    left_waitlist,
    promoted,
    revised,
    seat_released,
    seat_taken,
    waitlisted,
)
from tests.domain.scenario import ACT, LONG_AGO, Fact, given, import_on

TODAY = date(2026, 2, 1)


def limited(capacity: int | None, *more: Fact, deadline: date | None = None) -> tuple[Fact, ...]:
    return (created(capacity=capacity, enrollment_deadline=deadline), PUBLISHED, BEGAN, *more)


def admit(employee_id: str, on: date = TODAY) -> Callable[[TrainingProgram], Admission]:
    return lambda program: program.admit(employee_id, on, ACT)


def release(employee_id: str) -> Callable[[TrainingProgram], list[str]]:
    return lambda program: program.release(employee_id, ACT)


def set_capacity(
    capacity: int | None, seat_holders: frozenset[str] = frozenset()
) -> Callable[[TrainingProgram], list[str]]:
    return lambda program: program.revise(details(capacity=capacity), ACT, seat_holders)


FULL_WITH_TWO_WAITING = limited(1, seat_taken("ann"), waitlisted("bob"), waitlisted("cyd"))


# Getting in.


def test_who_comes_first_gets_a_seat() -> None:
    given(TrainingProgram, created(capacity=1), PUBLISHED).when(admit("ann")).then(
        BEGAN, seat_taken("ann")
    ).then_returns(Admission.SEAT)


def test_who_comes_when_all_seats_are_taken_waits() -> None:
    given(TrainingProgram, *limited(1, seat_taken("ann"))).when(admit("bob")).then(
        waitlisted("bob")
    ).then_returns(Admission.WAITING)


def test_the_waiting_list_is_in_the_order_of_coming() -> None:
    given(TrainingProgram, *FULL_WITH_TWO_WAITING).when(
        lambda program: list(program.waiting)
    ).then_returns(["bob", "cyd"])


def test_an_unlimited_program_is_written_to_by_the_first_enrollment_alone() -> None:
    past = (created(), PUBLISHED)
    given(TrainingProgram, *past).when(lambda it: it.is_written_by_enrolling).then_returns(
        expected=True
    )
    given(TrainingProgram, *past).when(admit("ann")).then(BEGAN).then_returns(Admission.SEAT)
    given(TrainingProgram, *past, BEGAN).when(lambda it: it.is_written_by_enrolling).then_returns(
        expected=False
    )
    given(TrainingProgram, *past, BEGAN).when(admit("bob")).then().then_returns(Admission.SEAT)


def test_who_holds_a_seat_from_an_earlier_cycle_comes_back_to_it() -> None:
    given(TrainingProgram, *limited(1, seat_taken("ann"))).when(admit("ann")).then().then_returns(
        Admission.SEAT
    )


def test_the_deadline_is_the_last_day_to_enroll() -> None:
    past = limited(None, deadline=TODAY)
    given(TrainingProgram, *past).when(admit("ann", TODAY)).then()
    given(TrainingProgram, *past).when(admit("ann", TODAY + timedelta(days=1))).then_refused(
        EnrollmentDeadlineError
    )


# Getting out.


def test_a_seat_that_becomes_free_goes_to_the_first_who_waits() -> None:
    given(TrainingProgram, *FULL_WITH_TWO_WAITING).when(release("ann")).then(
        seat_released("ann"), promoted("bob")
    ).then_returns(["bob"])


def test_a_seat_for_which_nobody_waits_stays_free() -> None:
    past = limited(1, seat_taken("ann"))
    given(TrainingProgram, *past).when(release("ann")).then(seat_released("ann"))
    given(TrainingProgram, *past, seat_released("ann")).when(admit("bob")).then(seat_taken("bob"))


def test_who_stops_waiting_promotes_nobody_and_gives_the_turn_to_the_next() -> None:
    given(TrainingProgram, *FULL_WITH_TWO_WAITING).when(release("bob")).then(
        left_waitlist("bob")
    ).then_returns([])
    past = (*FULL_WITH_TWO_WAITING, left_waitlist("bob"))
    given(TrainingProgram, *past).when(release("ann")).then(seat_released("ann"), promoted("cyd"))


def test_who_left_the_waiting_list_and_comes_back_is_last() -> None:
    past = (*FULL_WITH_TWO_WAITING, left_waitlist("bob"), waitlisted("bob"))
    given(TrainingProgram, *past).when(lambda it: list(it.waiting)).then_returns(["cyd", "bob"])


def test_leaving_an_unlimited_program_is_no_matter_of_seats() -> None:
    given(TrainingProgram, *limited(None)).when(release("ann")).then().then_returns([])


def test_nobody_is_promoted_while_the_program_is_closed() -> None:
    past = (*FULL_WITH_TWO_WAITING, CLOSED)
    given(TrainingProgram, *past).when(release("ann")).then(seat_released("ann"))


def test_publishing_again_promotes_into_the_seats_that_became_free() -> None:
    past = (*FULL_WITH_TWO_WAITING, CLOSED, seat_released("ann"))
    given(TrainingProgram, *past).when(lambda it: it.publish(ACT)).then(
        PUBLISHED, promoted("bob")
    ).then_returns(["bob"])


# Changing the capacity.


def test_a_larger_capacity_promotes_as_many_as_there_are_new_seats() -> None:
    given(TrainingProgram, *FULL_WITH_TWO_WAITING).when(set_capacity(2)).then(
        revised(2, capacity=2), promoted("bob")
    ).then_returns(["bob"])


def test_an_unlimited_capacity_promotes_all_in_their_order() -> None:
    given(TrainingProgram, *FULL_WITH_TWO_WAITING).when(set_capacity(None)).then(
        revised(2, capacity=None), promoted("bob"), promoted("cyd")
    )


def test_a_larger_capacity_of_a_closed_program_promotes_nobody_yet() -> None:
    past = (*FULL_WITH_TWO_WAITING, CLOSED)
    given(TrainingProgram, *past).when(set_capacity(3)).then(revised(2, capacity=3))
    given(TrainingProgram, *past, revised(2, capacity=3)).when(lambda it: it.publish(ACT)).then(
        PUBLISHED, promoted("bob"), promoted("cyd")
    )


def test_the_capacity_can_fall_to_the_seats_held_and_not_below() -> None:
    past = limited(3, seat_taken("ann"), seat_taken("bob"))
    given(TrainingProgram, *past).when(set_capacity(2)).then(revised(2, capacity=2))
    error = (
        given(TrainingProgram, *past)
        .when(set_capacity(1))
        .then_refused(CapacityBelowSeatsError, about="capacity")
    )
    assert isinstance(error, CapacityBelowSeatsError)
    assert (error.capacity, error.held) == (1, 2)


def test_those_who_wait_hold_no_seat() -> None:
    past = (*FULL_WITH_TWO_WAITING, revised(2, capacity=5), promoted("bob"), promoted("cyd"))
    given(TrainingProgram, *past, seat_released("cyd")).when(set_capacity(2)).then(
        revised(3, capacity=2)
    )


def test_a_program_that_becomes_limited_counts_who_is_in_it() -> None:
    given(TrainingProgram, *limited(None)).when(set_capacity(2, frozenset({"bob", "ann"}))).then(
        revised(2, capacity=2), seat_taken("ann"), seat_taken("bob")
    )


def test_a_program_cannot_become_limited_below_those_who_are_in_it() -> None:
    given(TrainingProgram, *limited(None)).when(
        set_capacity(1, frozenset({"ann", "bob"}))
    ).then_refused(CapacityBelowSeatsError, about="capacity")


def test_a_program_that_becomes_limited_again_forgets_who_left_meanwhile() -> None:
    past = limited(2, seat_taken("ann"), seat_taken("bob"), revised(2, capacity=None))
    given(TrainingProgram, *past).when(set_capacity(2, frozenset({"bob", "cyd"}))).then(
        revised(3, capacity=2), seat_released("ann"), seat_taken("cyd")
    )


# What the promotion says of itself.


def test_a_promotion_names_its_cause_and_not_the_reason_of_another_person() -> None:
    outcome = given(TrainingProgram, *FULL_WITH_TWO_WAITING).when(
        lambda it: it.revise(details(capacity=2), import_on(LONG_AGO), frozenset())
    )
    revision, promotion = outcome.events
    assert promotion.provenance.causation_id == revision.reference
    assert promotion.reason is None


@pytest.mark.parametrize(
    ("freed", "took_effect"),
    [
        (datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC)),
        (datetime(2026, 1, 6, tzinfo=UTC), datetime(2026, 1, 10, tzinfo=UTC)),
    ],
)
def test_a_promotion_takes_effect_when_a_seat_was_free_and_somebody_waited(
    freed: datetime, took_effect: datetime
) -> None:
    since = datetime(2026, 1, 10, tzinfo=UTC)
    past = limited(1, seat_taken("ann"), waitlisted("bob").at(since))
    outcome = given(TrainingProgram, *past).when(lambda it: it.release("ann", import_on(freed)))
    released, promotion = outcome.events
    assert released.effective_at == freed
    assert promotion.effective_at == took_effect
