"""Commands that want the same thing at the same moment."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest

from domain.aggregate import Event
from domain.enrollment import DuplicateEnrollmentError, Enrollment, EnrollmentStatus, Source
from domain.program_code import CodeTakenError, ProgramCode
from domain.training import Receipt
from domain.training_program import (
    CapacityBelowSeatsError,
    ProgramHasEnrollmentsError,
    ProgramNotFoundError,
    ProgramStatusError,
    TrainingProgram,
)
from tests.domain.facts import BY_HAND, details
from tests.domain.office import STAFF, Office, at_once
from tests.domain.scenario import ACT, WITH_REASON

ROUNDS = 5


def enroll(office: Office, program_id: UUID, employee_id: str) -> Receipt[Enrollment]:
    return office.training.enroll(program_id, employee_id, ACT, Source.SELF)


def positions(office: Office, *kinds: type[object]) -> list[int]:
    return [position for position, event in office.log() if isinstance(event, kinds)]


# The last seat.


def test_of_those_who_race_for_the_last_seat_one_gets_it_and_the_others_wait_in_order(
    office: Office,
) -> None:
    program_id = office.program(capacity=1)
    answers = at_once(*(lambda name=name: enroll(office, program_id, name) for name in STAFF))
    assert all(isinstance(answer, Receipt) for answer in answers)
    program = office.the_program(program_id)
    assert len(program.seats) == 1
    assert len(program.waiting) == len(STAFF) - 1
    waiting = [it for _, it in office.log() if isinstance(it, Enrollment.Waitlisted)]
    assert [event.employee_id for event in waiting] == list(program.waiting)
    for name in STAFF:
        seated = office.the_enrollment(program_id, name).status is EnrollmentStatus.ENROLLED
        assert seated == (name in program.seats)


def test_seats_that_become_free_at_once_go_to_the_first_who_wait(office: Office) -> None:
    program_id = office.program(capacity=4)
    seated = office.enroll(program_id, *STAFF)[:4]
    at_once(*(lambda it=it: office.training.withdraw(it, ACT) for it in seated))
    program = office.the_program(program_id)
    assert program.seats == set(STAFF[4:])
    assert program.waiting == {}
    promoted = [it for _, it in office.log() if isinstance(it, Enrollment.Promoted)]
    assert [event.employee_id for event in promoted] == list(STAFF[4:])


def test_a_seat_is_never_lost_between_a_withdrawal_and_an_enrollment(office: Office) -> None:
    program_id = office.program(capacity=1)
    (ann,) = office.enroll(program_id, "ann")
    at_once(
        lambda: office.training.withdraw(ann, ACT),
        lambda: enroll(office, program_id, "bob"),
        lambda: enroll(office, program_id, "cyd"),
    )
    program = office.the_program(program_id)
    assert len(program.seats) == len(program.waiting) == 1


# The same thing twice.


def test_an_employee_who_enrolls_twice_at_once_is_enrolled_once(office: Office) -> None:
    for number in range(ROUNDS):
        program_id = office.program(str(number), capacity=2 if number % 2 else None)
        answers = at_once(*[lambda it=program_id: enroll(office, it, "ann")] * 4)
        kinds = Counter(type(answer) for answer in answers)
        assert kinds == {Receipt: 1, DuplicateEnrollmentError: 3}


def test_a_code_claimed_by_many_at_once_goes_to_one(office: Office) -> None:
    for number in range(ROUNDS):
        answers = at_once(*[lambda code=f"C{number}": office.draft(code)] * 4)
        assert Counter(type(answer) for answer in answers) == {UUID: 1, CodeTakenError: 3}
    assert Counter(office.kinds()) == {
        ProgramCode.Claimed: ROUNDS,
        TrainingProgram.Created: ROUNDS,
    }


def test_a_code_to_which_several_programs_change_at_once_goes_to_one(office: Office) -> None:
    programs = [office.draft(f"OLD-{number}") for number in range(4)]
    answers = at_once(
        *(
            lambda it=it: office.training.revise_program(it, details(code="NEW"), ACT)
            for it in programs
        )
    )
    assert Counter(type(answer) for answer in answers) == {Receipt: 1, CodeTakenError: 3}
    codes = sorted(office.the_program(it).details.code for it in programs)
    assert codes[0] == "NEW"
    assert len(set(codes)) == 4


def test_a_completion_certified_by_many_at_once_has_one_certificate(office: Office) -> None:
    program_id = office.program(certification=BY_HAND)
    (ann,) = office.enroll(program_id, "ann")
    office.training.complete(ann, ACT)
    answers = at_once(*[lambda: office.training.issue_certificate(ann, ACT)] * 4)
    assert sum(isinstance(answer, Receipt) for answer in answers) == 1
    assert len(positions(office, Enrollment.CertificateIssued)) == 1


def test_progress_recorded_by_many_at_once_never_falls_in_the_log(office: Office) -> None:
    program_id = office.program()
    (ann,) = office.enroll(program_id, "ann")
    at_once(
        *(
            lambda percent=percent: office.training.record_progress(ann, ACT, percent)
            for percent in (10, 20, 30, 40)
        )
    )
    recorded = [it.percent for _, it in office.log() if isinstance(it, Enrollment.ProgressRecorded)]
    assert recorded == sorted(recorded)
    assert recorded[-1] == 40


# An enrollment against the end of its program. What is stored and not yet committed makes the
# other wait, in both orders.


BOTH_KINDS = pytest.mark.parametrize("capacity", [None, 3])


@BOTH_KINDS
def test_no_enrollment_comes_behind_the_closing_of_its_program(
    office: Office, capacity: int | None
) -> None:
    program_id = office.program(capacity=capacity)
    office.enroll(program_id, "ann")
    with office.uncommitted() as other:
        office.training.close_program(program_id, ACT)
        other.must_wait(lambda: enroll(office, program_id, "bob"))
    with pytest.raises(ProgramStatusError):
        other.answer()
    assert office.kinds()[-1] is TrainingProgram.Closed


@BOTH_KINDS
def test_the_closing_of_a_program_waits_for_an_enrollment_that_was_first(
    office: Office, capacity: int | None
) -> None:
    program_id = office.program(capacity=capacity)
    office.enroll(program_id, "ann")
    with office.uncommitted() as other:
        enroll(office, program_id, "bob")
        other.must_wait(lambda: office.training.close_program(program_id, ACT))
    other.answer()
    assert office.kinds()[-2:] == [Enrollment.Enrolled, TrainingProgram.Closed]


@BOTH_KINDS
def test_no_enrollment_comes_behind_the_archiving_of_its_program(
    office: Office, capacity: int | None
) -> None:
    program_id = office.program(capacity=capacity)
    office.enroll(program_id, "ann")

    def close_and_archive() -> None:
        office.training.close_program(program_id, ACT)
        office.training.archive_program(program_id, ACT)

    with office.uncommitted() as other:
        office.training.together(close_and_archive)
        other.must_wait(lambda: enroll(office, program_id, "bob"))
    with pytest.raises(ProgramStatusError):
        other.answer()
    assert office.kinds()[-1] is TrainingProgram.Archived


@BOTH_KINDS
def test_deleting_wins_over_the_first_enrollment_that_comes_later(
    office: Office, capacity: int | None
) -> None:
    program_id = office.program(capacity=capacity)
    with office.uncommitted() as other:
        office.training.delete_program(program_id, ACT)
        other.must_wait(lambda: enroll(office, program_id, "ann"))
    with pytest.raises(ProgramNotFoundError):
        other.answer()
    assert positions(office, Enrollment.Enrolled) == []


@BOTH_KINDS
def test_the_first_enrollment_wins_over_deleting_that_comes_later(
    office: Office, capacity: int | None
) -> None:
    program_id = office.program(capacity=capacity)
    with office.uncommitted() as other:
        enroll(office, program_id, "ann")
        other.must_wait(lambda: office.training.delete_program(program_id, ACT))
    with pytest.raises(ProgramHasEnrollmentsError):
        other.answer()
    assert positions(office, TrainingProgram.Deleted) == []


def test_all_who_get_in_while_the_program_closes_are_in_the_log_before_it(office: Office) -> None:
    for number in range(ROUNDS):
        program_id = office.program(str(number))
        race_to_close(office, program_id)
        ends = [event for _, event in office.log() if concerns(event, program_id)]
        assert isinstance(ends[-1], TrainingProgram.Closed)


def race_to_close(office: Office, program_id: UUID) -> None:
    at_once(
        *(lambda name=name: enroll(office, program_id, name) for name in STAFF[:6]),
        lambda: office.training.close_program(program_id, ACT),
    )


def concerns(event: Event, program_id: UUID) -> bool:
    if isinstance(event, Enrollment.Enrolled):
        return event.program_id == program_id
    return event.originator_id == program_id


# Enrollments in an unlimited program.


def test_enrollments_in_an_unlimited_program_do_not_wait_for_each_other(office: Office) -> None:
    program_id = office.program()
    office.enroll(program_id, "ann")
    with office.uncommitted() as other:
        enroll(office, program_id, "bob")
        other.must_not_wait(lambda: enroll(office, program_id, "cyd"))


def test_the_first_enrollments_of_an_unlimited_program_begin_it_once(office: Office) -> None:
    program_id = office.program()
    at_once(*(lambda name=name: enroll(office, program_id, name) for name in STAFF))
    assert len(positions(office, TrainingProgram.EnrollmentsBegan)) == 1
    assert len(positions(office, Enrollment.Enrolled)) == len(STAFF)


def test_a_program_that_becomes_limited_meanwhile_has_its_seats_counted(office: Office) -> None:
    program_id = office.program()
    office.enroll(program_id, "ann")
    with office.uncommitted() as other:
        office.training.revise_program(program_id, details(capacity=1), ACT)
        other.must_wait(lambda: enroll(office, program_id, "bob"))
    other.answer()
    assert list(office.the_program(program_id).waiting) == ["bob"]


def test_becoming_limited_waits_for_the_enrollments_that_were_first(office: Office) -> None:
    program_id = office.program()
    office.enroll(program_id, "ann")
    limit = details(capacity=1)
    with office.uncommitted() as other:
        enroll(office, program_id, "bob")
        other.must_wait(lambda: office.training.revise_program(program_id, limit, ACT))
    with pytest.raises(CapacityBelowSeatsError):
        other.answer()


def test_a_withdrawal_from_a_program_that_becomes_limited_meanwhile_frees_the_seat(
    office: Office,
) -> None:
    program_id = office.program()
    (ann,) = office.enroll(program_id, "ann")
    with office.uncommitted() as other:
        office.training.revise_program(program_id, details(capacity=1), ACT)
        enroll(office, program_id, "bob")
        other.must_wait(lambda: office.training.withdraw(ann, WITH_REASON))
    other.answer()
    assert office.the_program(program_id).seats == {"bob"}
    assert office.the_enrollment(program_id, "bob").status is EnrollmentStatus.ENROLLED
