"""Commands through the one write door: what each stores, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from eventsourcing.persistence import IntegrityError

from domain.directory import InactiveEmployeeError, UnknownEmployeeError
from domain.enrollment import (
    CertificateNotFoundError,
    CertificateNotLiveError,
    DuplicateEnrollmentError,
    Enrollment,
    EnrollmentNotFoundError,
    EnrollmentStatus,
    EnrollmentStatusError,
    Source,
)
from domain.errors import InvalidValueError
from domain.program_code import CodeTakenError, ProgramCode
from domain.training_program import (
    CapacityBelowSeatsError,
    ProgramExistsError,
    ProgramHasEnrollmentsError,
    ProgramNotFoundError,
    ProgramStatus,
    TrainingProgram,
)
from tests.domain.facts import BY_HAND, CERTIFIED, details
from tests.domain.office import Office
from tests.domain.scenario import ACT, WITH_REASON

# Programs and their codes.


def test_a_program_is_drafted_with_its_code_in_one_transaction(office: Office) -> None:
    receipt = office.training.create_program(details(), ACT)
    assert office.transactions() == [["program_code.claimed.v1", "program.created.v1"]]
    assert receipt.position == office.log()[-1][0]
    assert receipt.subject.status is ProgramStatus.DRAFT


def test_a_refused_draft_leaves_no_trace(office: Office) -> None:
    with pytest.raises(InvalidValueError):
        office.training.create_program(details(title=""), ACT)
    assert office.log() == []


def test_a_code_that_is_taken_is_refused_whatever_its_case(office: Office) -> None:
    program_id = office.draft("FIRE-1")
    with pytest.raises(CodeTakenError) as caught:
        office.draft("fire-1")
    assert caught.value.holder == program_id
    assert office.kinds() == [ProgramCode.Claimed, TrainingProgram.Created]


def test_another_code_frees_the_old_one(office: Office) -> None:
    program_id = office.draft("FIRE-1")
    office.training.revise_program(program_id, details(code="FIRE-2"), ACT)
    assert office.transactions()[-1] == [
        "program.details_revised.v1",
        "program_code.released.v1",
        "program_code.claimed.v1",
    ]
    office.draft("FIRE-1")
    with pytest.raises(CodeTakenError):
        office.draft("FIRE-2")


def test_a_revision_to_a_taken_code_changes_nothing(office: Office) -> None:
    office.draft("FIRE-1")
    program_id = office.draft("FIRE-2")
    before = office.kinds()
    with pytest.raises(CodeTakenError):
        office.training.revise_program(program_id, details(code="FIRE-1", title="New"), ACT)
    assert office.kinds() == before


def test_another_case_of_its_code_is_no_other_code(office: Office) -> None:
    program_id = office.draft("FIRE-1")
    office.training.revise_program(program_id, details(code="Fire-1"), ACT)
    assert office.kinds()[2:] == [TrainingProgram.DetailsRevised]


def test_a_revision_without_a_change_has_no_position(office: Office) -> None:
    program_id = office.draft()
    assert office.training.revise_program(program_id, details(), ACT).position is None


def test_deleting_frees_the_code(office: Office) -> None:
    program_id = office.draft("FIRE-1")
    office.training.delete_program(program_id, ACT)
    assert office.transactions()[-1] == ["program.deleted.v1", "program_code.released.v1"]
    assert office.draft("FIRE-1") != program_id


def test_an_id_is_not_used_again_although_the_code_is_free(office: Office) -> None:
    program_id = uuid4()
    office.training.create_program(details(code="FIRE-1"), ACT, program_id)
    office.training.revise_program(program_id, details(code="FIRE-2"), ACT)
    before = office.kinds()
    with pytest.raises(ProgramExistsError):
        office.training.create_program(details(code="FIRE-1"), ACT, program_id)
    assert office.kinds() == before


def test_a_program_is_archived_and_comes_back_closed(office: Office) -> None:
    program_id = office.program()
    office.training.close_program(program_id, ACT)
    office.training.archive_program(program_id, ACT)
    office.training.restore_program(program_id, ACT)
    assert office.the_program(program_id).status is ProgramStatus.CLOSED


def test_a_program_that_had_an_enrollment_is_not_deleted(office: Office) -> None:
    program_id = office.program()
    (enrollment_id,) = office.enroll(program_id, "ann")
    office.training.withdraw(enrollment_id, ACT)
    with pytest.raises(ProgramHasEnrollmentsError):
        office.training.delete_program(program_id, ACT)


# Enrolling.


def test_a_seat_and_its_enrollment_are_stored_in_one_transaction(office: Office) -> None:
    program_id = office.program(capacity=1)
    office.enroll(program_id, "ann", "bob")
    assert office.transactions()[-2:] == [
        ["program.enrollments_began.v1", "program.seat_taken.v1", "enrollment.enrolled.v1"],
        ["program.employee_waitlisted.v1", "enrollment.waitlisted.v1"],
    ]


def test_the_department_is_that_of_the_day(office: Office) -> None:
    program_id = office.program()
    office.enroll(program_id, "ann")
    enrolled = office.log()[-1][1]
    assert isinstance(enrolled, Enrollment.Enrolled)
    assert enrolled.department == "Sales"


def test_who_is_not_in_the_directory_is_not_enrolled(office: Office) -> None:
    program_id = office.program()
    before = office.kinds()
    with pytest.raises(UnknownEmployeeError):
        office.enroll(program_id, "nobody")
    with pytest.raises(InactiveEmployeeError):
        office.enroll(program_id, "gone")
    assert office.kinds() == before


def test_a_second_enrollment_is_refused_and_names_the_first(office: Office) -> None:
    program_id = office.program(capacity=1)
    (enrollment_id,) = office.enroll(program_id, "ann")
    before = office.kinds()
    with pytest.raises(DuplicateEnrollmentError) as caught:
        office.enroll(program_id, "ann")
    assert caught.value.enrollment_id == enrollment_id
    assert office.kinds() == before


def test_who_comes_back_has_the_same_enrollment_in_a_new_cycle(office: Office) -> None:
    program_id = office.program(capacity=1)
    (first,) = office.enroll(program_id, "ann")
    office.training.withdraw(first, ACT)
    assert office.enroll(program_id, "ann") == [first]
    assert office.the_enrollment(program_id, "ann").cycle == 2


def test_a_program_that_is_not_there_refuses_every_command(office: Office) -> None:
    training, nowhere = office.training, uuid4()
    commands: list[Callable[[], object]] = [
        lambda: training.revise_program(nowhere, details(capacity=1), ACT),
        lambda: training.publish_program(nowhere, ACT),
        lambda: training.close_program(nowhere, ACT),
        lambda: training.archive_program(nowhere, ACT),
        lambda: training.restore_program(nowhere, ACT),
        lambda: training.delete_program(nowhere, ACT),
        lambda: training.enroll(nowhere, "ann", ACT, Source.SELF),
    ]
    for command in commands:
        with pytest.raises(ProgramNotFoundError):
            command()
    assert office.log() == []


def test_an_enrollment_that_is_not_there_refuses_every_command(office: Office) -> None:
    training, nowhere = office.training, uuid4()
    commands: list[Callable[[], object]] = [
        lambda: training.withdraw(nowhere, ACT),
        lambda: training.record_progress(nowhere, ACT, 10),
        lambda: training.correct_progress(nowhere, WITH_REASON, 10),
        lambda: training.complete(nowhere, ACT),
        lambda: training.fail(nowhere, ACT),
        lambda: training.void_completion(nowhere, WITH_REASON),
        lambda: training.issue_certificate(nowhere, ACT),
    ]
    for command in commands:
        with pytest.raises(EnrollmentNotFoundError):
            command()
    assert office.log() == []


# Seats.


def test_withdrawing_gives_the_seat_to_the_first_who_waits_in_one_transaction(
    office: Office,
) -> None:
    program_id = office.program(capacity=1)
    ann, _, _ = office.enroll(program_id, "ann", "bob", "cyd")
    office.training.withdraw(ann, WITH_REASON)
    assert office.transactions()[-1] == [
        "enrollment.withdrawn.v1",
        "program.seat_released.v1",
        "program.employee_promoted.v1",
        "enrollment.promoted.v1",
    ]
    assert office.the_enrollment(program_id, "bob").status is EnrollmentStatus.ENROLLED
    assert office.the_enrollment(program_id, "cyd").status is EnrollmentStatus.WAITLISTED


def test_what_follows_from_a_withdrawal_names_its_cause_and_keeps_its_reason_private(
    office: Office,
) -> None:
    program_id = office.program(capacity=1)
    ann, _ = office.enroll(program_id, "ann", "bob")
    office.training.withdraw(ann, WITH_REASON)
    withdrawn, released, seat, promoted = [event for _, event in office.log()[-4:]]
    assert withdrawn.reason == WITH_REASON.reason
    assert [it.reason for it in (released, seat, promoted)] == [None] * 3
    assert released.provenance.causation_id == withdrawn.reference
    assert seat.provenance.causation_id == withdrawn.reference
    assert promoted.provenance.causation_id == seat.reference
    assert {it.provenance.correlation_id for it in (withdrawn, seat, promoted)} == {"request-1"}
    assert promoted.effective_at == seat.effective_at == withdrawn.effective_at


def test_who_stops_waiting_leaves_both_lists(office: Office) -> None:
    program_id = office.program(capacity=1)
    _, bob = office.enroll(program_id, "ann", "bob")
    office.training.withdraw(bob, ACT)
    assert office.transactions()[-1] == [
        "enrollment.withdrawn.v1",
        "program.employee_left_waitlist.v1",
    ]


def test_a_larger_capacity_promotes_the_enrollments_too(office: Office) -> None:
    program_id = office.program(capacity=1)
    office.enroll(program_id, "ann", "bob", "cyd")
    office.training.revise_program(program_id, details(capacity=2), ACT)
    assert list(office.the_program(program_id).waiting) == ["cyd"]
    assert office.the_enrollment(program_id, "bob").status is EnrollmentStatus.ENROLLED


def test_publishing_again_promotes_the_enrollments_too(office: Office) -> None:
    program_id = office.program(capacity=1)
    ann, _ = office.enroll(program_id, "ann", "bob")
    office.training.close_program(program_id, ACT)
    office.training.withdraw(ann, ACT)
    assert office.the_enrollment(program_id, "bob").status is EnrollmentStatus.WAITLISTED
    office.training.publish_program(program_id, ACT)
    assert office.the_enrollment(program_id, "bob").status is EnrollmentStatus.ENROLLED


def test_a_program_that_becomes_limited_counts_from_the_log_who_is_in_it(office: Office) -> None:
    program_id = office.program()
    other = office.program("OTHER")
    _, bob, cyd, dee = office.enroll(program_id, "ann", "bob", "cyd", "dee")
    office.enroll(other, "eve")
    office.training.withdraw(bob, ACT)
    office.training.complete(cyd, ACT)
    office.training.fail(dee, ACT)
    with pytest.raises(CapacityBelowSeatsError) as caught:
        office.training.revise_program(program_id, details(capacity=2), ACT)
    assert caught.value.held == 3
    office.training.revise_program(program_id, details(capacity=3), ACT)
    assert office.the_program(program_id).seats == {"ann", "cyd", "dee"}
    office.enroll(program_id, "bob")
    assert list(office.the_program(program_id).waiting) == ["bob"]


def test_who_was_promoted_counts_when_the_program_becomes_limited_again(office: Office) -> None:
    program_id = office.program(capacity=1)
    ann, _ = office.enroll(program_id, "ann", "bob")
    office.training.revise_program(program_id, details(capacity=None), ACT)
    office.enroll(program_id, "cyd")
    office.training.withdraw(ann, ACT)
    office.training.revise_program(program_id, details(capacity=2), ACT)
    assert office.the_program(program_id).seats == {"bob", "cyd"}


# Certificates.


def test_a_completion_and_its_certificate_are_stored_in_one_transaction(office: Office) -> None:
    program_id = office.program(certification=CERTIFIED)
    (enrollment_id,) = office.enroll(program_id, "ann")
    office.training.complete(enrollment_id, ACT)
    assert office.transactions()[-1] == [
        "enrollment.completed.v2",
        "enrollment.certificate_issued.v1",
    ]


def test_a_certificate_is_found_and_revoked_by_its_number(office: Office) -> None:
    program_id = office.program(certification=BY_HAND)
    ann, bob = office.enroll(program_id, "ann", "bob")
    numbers = {}
    for enrollment_id in (ann, bob):
        office.training.complete(enrollment_id, ACT)
        certified = office.training.issue_certificate(enrollment_id, ACT).subject
        numbers[enrollment_id] = certified.live_certificates[1]
    revoked = office.training.revoke_certificate(numbers[ann], WITH_REASON).subject
    assert revoked.id == ann
    assert office.the_enrollment(program_id, "ann").live_certificates == {}
    assert office.the_enrollment(program_id, "bob").live_certificates == {1: numbers[bob]}
    with pytest.raises(CertificateNotLiveError):
        office.training.revoke_certificate(numbers[ann], WITH_REASON)


def test_a_number_that_nobody_has_is_not_found(office: Office) -> None:
    with pytest.raises(CertificateNotFoundError):
        office.training.revoke_certificate("RB-00000-00000-00000-00000", WITH_REASON)


def test_the_log_itself_refuses_a_number_that_was_ever_used(office: Office) -> None:
    program_id = office.program(certification=CERTIFIED)
    (ann,) = office.enroll(program_id, "ann")
    number = office.training.complete(ann, ACT).subject.live_certificates[1]
    office.training.revoke_certificate(number, WITH_REASON)
    issued = next(it for _, it in office.log() if isinstance(it, Enrollment.CertificateIssued))
    again = type(issued)(**vars(issued) | {"originator_id": uuid4(), "originator_version": 1})
    with pytest.raises(IntegrityError):
        office.recorder.insert_events([office.codec.to_stored_event(again)])


def test_voiding_revokes_the_certificate_in_one_transaction(office: Office) -> None:
    program_id = office.program(certification=CERTIFIED)
    (ann,) = office.enroll(program_id, "ann")
    office.training.complete(ann, ACT)
    office.training.void_completion(ann, WITH_REASON)
    assert office.transactions()[-1] == [
        "enrollment.completion_voided.v1",
        "enrollment.certificate_revoked.v1",
    ]


def test_progress_is_recorded_and_corrected(office: Office) -> None:
    program_id = office.program()
    (ann,) = office.enroll(program_id, "ann")
    office.training.record_progress(ann, ACT, 60, score_percent=80, note="quiz")
    corrected = office.training.correct_progress(ann, WITH_REASON, 40)
    assert corrected.subject.percent == 40
    with pytest.raises(EnrollmentStatusError):
        office.training.void_completion(ann, WITH_REASON)
