"""Several commands as one action, and what happens when others interfere."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest

from domain.action import RefusedPartError
from domain.enrollment import DuplicateEnrollmentError, Enrollment, EnrollmentStatusError
from domain.errors import ContentionError
from domain.training import ATTEMPTS, Receipt
from domain.training_program import TrainingProgram
from eventlog.pool import open_pool
from tests.domain.facts import details
from tests.domain.office import Office, at_once
from tests.domain.scenario import ACT
from tests.patience import PATIENCE_SECONDS


def in_another_thread(command: Callable[[], object]) -> None:
    with ThreadPoolExecutor(1) as threads:
        threads.submit(command).result()


def test_commands_together_are_stored_in_one_transaction(office: Office) -> None:
    def offer_and_enroll() -> UUID:
        program_id = office.program(capacity=1)
        office.enroll(program_id, "ann", "bob")
        return program_id

    receipt = office.training.together(offer_and_enroll)
    assert len(office.transactions()) == 1
    assert receipt.position == max(position for position, _ in office.log())
    program = office.the_program(receipt.subject)
    assert (program.seats, list(program.waiting)) == ({"ann"}, ["bob"])


def test_a_command_of_an_action_sees_what_the_one_before_decided(office: Office) -> None:
    program_id = office.program(capacity=1)
    (ann,) = office.enroll(program_id, "ann")

    def change_places() -> None:
        office.enroll(program_id, "bob")
        office.training.withdraw(ann, ACT)
        office.training.complete(Enrollment.id_of(program_id, "bob"), ACT)

    office.training.together(change_places)
    assert office.the_program(program_id).seats == {"bob"}
    assert len(office.transactions()[-1]) == 7


def test_an_action_can_concern_several_programs(office: Office) -> None:
    fire, water = office.program("FIRE", capacity=1), office.program("WATER", capacity=1)
    before = len(office.transactions())
    office.training.together(lambda: [*office.enroll(fire, "ann"), *office.enroll(water, "ann")])
    assert len(office.transactions()) == before + 1
    assert office.the_program(fire).seats == office.the_program(water).seats == {"ann"}


def test_a_command_of_an_action_has_no_position_of_its_own(office: Office) -> None:
    program_id = office.draft()
    receipt = office.training.together(lambda: office.training.publish_program(program_id, ACT))
    assert receipt.subject.position is None
    assert receipt.position is not None


def test_one_refused_command_refuses_all(office: Office) -> None:
    program_id = office.program(capacity=1)
    before = office.kinds()
    with pytest.raises(DuplicateEnrollmentError):
        office.training.together(lambda: office.enroll(program_id, "ann", "ann"))
    assert office.kinds() == before


def test_a_refusal_that_is_swallowed_refuses_all_the_same(office: Office) -> None:
    program_id = office.program(capacity=1)
    before = office.kinds()

    def enroll_twice() -> None:
        office.enroll(program_id, "ann")
        with pytest.raises(DuplicateEnrollmentError):
            office.enroll(program_id, "ann")

    with pytest.raises(RefusedPartError):
        office.training.together(enroll_twice)
    assert office.kinds() == before


def test_an_action_after_a_refused_one_starts_afresh(office: Office) -> None:
    program_id = office.program(capacity=1)
    with pytest.raises(DuplicateEnrollmentError):
        office.training.together(lambda: office.enroll(program_id, "ann", "ann"))
    office.enroll(program_id, "bob")
    assert office.the_program(program_id).seats == {"bob"}


def test_an_action_can_come_to_need_a_program_alone(office: Office) -> None:
    program_id = office.program()
    office.enroll(program_id, "ann")

    def enroll_and_close() -> None:
        office.enroll(program_id, "bob")
        office.training.close_program(program_id, ACT)

    office.training.together(enroll_and_close)
    assert office.kinds()[-2:] == [Enrollment.Enrolled, TrainingProgram.Closed]


def test_no_action_without_a_command(office: Office) -> None:
    assert office.training.together(lambda: "nothing").position is None
    assert office.log() == []


def test_the_seats_of_a_program_are_counted_with_those_of_the_same_action(office: Office) -> None:
    program_id = office.program()
    (ann,) = office.enroll(program_id, "ann", "bob")[:1]

    def enroll_and_limit() -> None:
        office.training.withdraw(ann, ACT)
        office.enroll(program_id, "cyd")
        office.training.revise_program(program_id, details(capacity=2), ACT)
        office.enroll(program_id, "dee")

    office.training.together(enroll_and_limit)
    program = office.the_program(program_id)
    assert (program.seats, list(program.waiting)) == ({"bob", "cyd"}, ["dee"])


def test_an_action_gets_by_with_one_connection(database_url: str) -> None:
    with open_pool(database_url, 1) as pool:
        office = Office(pool)
        program_id = office.program(capacity=1)
        office.training.together(lambda: office.enroll(program_id, "ann", "bob"))
        assert list(office.the_program(program_id).waiting) == ["bob"]


# Others who interfere.


def test_of_two_actions_that_wait_for_each_other_one_begins_again(office: Office) -> None:
    fire, water = office.program("FIRE", capacity=1), office.program("WATER", capacity=1)
    both_hold_one = Barrier(2)
    begun: list[str] = []

    def enroll(employee_id: str, first: UUID, second: UUID) -> None:
        begun.append(employee_id)
        office.enroll(first, employee_id)
        if begun.count(employee_id) == 1:
            both_hold_one.wait(PATIENCE_SECONDS)
        office.enroll(second, employee_id)

    answers = at_once(
        lambda: office.training.together(lambda: enroll("ann", fire, water)),
        lambda: office.training.together(lambda: enroll("bob", water, fire)),
    )
    assert all(isinstance(answer, Receipt) for answer in answers)
    assert len(begun) == 3
    first, second = office.the_program(fire), office.the_program(water)
    assert first.seats == second.seats
    assert first.seats | set(first.waiting) == {"ann", "bob"}


def test_a_decision_that_others_overtook_is_made_again_on_what_is_true_now(office: Office) -> None:
    program_id = office.program()
    (ann,) = office.enroll(program_id, "ann")
    asked: list[float] = []

    def overtaken() -> float:
        enrollment = office.training.record_progress(ann, ACT, 50).subject
        asked.append(enrollment.percent)
        if len(asked) == 1:
            in_another_thread(lambda: office.training.record_progress(ann, ACT, 30))
        return enrollment.percent

    assert office.training.together(overtaken).subject == 50
    assert len(asked) == 2
    recorded = [it for _, it in office.log() if isinstance(it, Enrollment.ProgressRecorded)]
    assert [it.percent for it in recorded] == [30, 50]


def test_a_decision_that_is_wrong_by_now_is_refused(office: Office) -> None:
    program_id = office.program()
    (ann,) = office.enroll(program_id, "ann")

    def overtaken() -> None:
        office.training.complete(ann, ACT)
        in_another_thread(lambda: office.training.withdraw(ann, ACT))

    with pytest.raises(EnrollmentStatusError):
        office.training.together(overtaken)
    assert office.kinds()[-1] is Enrollment.Withdrawn


def test_who_is_overtaken_every_time_is_told_so(office: Office) -> None:
    program_id = office.program()
    (ann,) = office.enroll(program_id, "ann")
    overtaken: list[int] = []

    def always_overtaken() -> None:
        office.training.record_progress(ann, ACT, 100)
        overtaken.append(len(overtaken))
        in_another_thread(lambda: office.training.record_progress(ann, ACT, len(overtaken)))

    with pytest.raises(ContentionError) as caught:
        office.training.together(always_overtaken)
    assert caught.value.attempts == len(overtaken) == ATTEMPTS
    assert office.the_enrollment(program_id, "ann").percent == ATTEMPTS


def test_a_capacity_that_changes_meanwhile_is_the_one_that_counts(office: Office) -> None:
    program_id = office.program(capacity=1)
    office.enroll(program_id, "ann")
    with office.uncommitted() as other:
        office.training.revise_program(program_id, details(capacity=2), ACT)
        other.must_wait(lambda: office.enroll(program_id, "bob"))
    other.answer()
    assert office.the_program(program_id).seats == {"ann", "bob"}
