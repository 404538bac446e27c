"""Erasing a person while others write about them."""

from __future__ import annotations

from collections import Counter

import pytest

from domain.act import Act
from domain.enrollment import Enrollment
from domain.personal_record import EmployeeErasedError, LegalHoldError, PersonalRecord
from tests.domain.office import Office, at_once
from tests.domain.scenario import ACT, BY_HR, WITH_REASON

LAWSUIT = Act(BY_HR, reason="Lawsuit 4")


def erase(office: Office) -> None:
    office.training.erase_person("ann", WITH_REASON)


def test_an_erasure_is_one_transaction_and_names_itself_as_the_cause(office: Office) -> None:
    office.enroll(office.program("A"), "ann")
    office.enroll(office.program("B"), "ann", "bob")
    erase(office)
    assert office.transactions()[-1] == [
        PersonalRecord.Erased.TOPIC,
        Enrollment.TextErased.TOPIC,
        Enrollment.TextErased.TOPIC,
    ]
    erased, *noted = [event for _, event in office.log()[-3:]]
    assert {event.provenance.causation_id for event in noted} == {erased.reference}
    assert [event.reason for event in noted] == [None, None]
    assert erased.reason == WITH_REASON.reason


def test_an_enrollment_that_was_on_its_way_is_noted_when_erasing_again(office: Office) -> None:
    program_id = office.program()
    office.enroll(program_id, "bob")
    with office.uncommitted() as other:
        (late,) = office.enroll(program_id, "ann")
        other.must_not_wait(lambda: erase(office))
    assert not office.the_enrollment(program_id, "ann").is_erased
    with pytest.raises(EmployeeErasedError):
        office.training.record_progress(late, ACT, 10.0, note="Slow at first")
    erase(office)
    erase(office)
    assert office.the_enrollment(program_id, "ann").is_erased
    kinds = Counter(office.kinds())
    assert (kinds[PersonalRecord.Erased], kinds[Enrollment.TextErased]) == (1, 1)


def test_of_commands_at_the_same_time_each_comes_before_the_erasure_or_is_refused(
    office: Office,
) -> None:
    (enrollment_id,) = office.enroll(office.program(), "ann")

    def progress() -> object:
        return office.training.record_progress(enrollment_id, ACT, 10.0, note="Slow at first")

    answers = at_once(progress, lambda: erase(office), progress, lambda: erase(office))
    events = list(office.training.history(enrollment_id))
    noted = [event for event in events if isinstance(event, Enrollment.ProgressRecorded)]
    assert isinstance(events[-1], Enrollment.TextErased)
    assert {event.note for event in noted} <= {"[erased]"}
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert {type(refusal) for refusal in refused} <= {EmployeeErasedError}
    assert len(noted) + len(refused) == 2


def keys(office: Office) -> dict[str, bytes | None]:
    """The keys that there are, and None for whom was erased."""
    with office.pool.connection() as conn:
        query = "select employee_id, key from rollbook.personal_keys"
        return dict(conn.execute(query).fetchall())


def reasons(office: Office) -> list[str | None]:
    """The reasons in ann's personal record, as far as they can be read."""
    return [event.reason for event in office.training.history(PersonalRecord.id_of("ann"))]


def test_a_hold_on_whom_the_log_alone_knows_is_sealed_with_a_first_key(office: Office) -> None:
    office.enroll(office.program(), "ann")
    with office.pool.connection() as conn:
        conn.execute("delete from rollbook.employees where id = 'ann'")
    assert keys(office) == {}
    office.training.place_hold("ann", LAWSUIT)
    assert list(keys(office)) == ["ann"]
    with pytest.raises(LegalHoldError, match="held: Lawsuit 4"):
        erase(office)
    with pytest.raises(LegalHoldError, match="held: Lawsuit 4"):
        office.training.place_hold("ann", WITH_REASON)
    office.training.lift_hold("ann", WITH_REASON)
    erase(office)
    assert reasons(office) == ["[erased]", "[erased]", WITH_REASON.reason]


def test_the_reason_told_is_that_of_the_hold_in_force(office: Office) -> None:
    office.training.place_hold("ann", WITH_REASON)
    office.training.lift_hold("ann", WITH_REASON)
    office.training.place_hold("ann", LAWSUIT)
    with pytest.raises(LegalHoldError, match="held: Lawsuit 4") as refused:
        erase(office)
    assert (refused.value.reason, refused.value.hold_version) == (LAWSUIT.reason, 3)


def test_who_was_erased_is_not_held_and_gets_no_new_key(office: Office) -> None:
    erase(office)
    with pytest.raises(EmployeeErasedError):
        office.training.place_hold("ann", LAWSUIT)
    assert keys(office) == {"ann": None}


def test_of_a_hold_and_an_erasure_at_the_same_time_one_is_refused_for_the_other(
    office: Office,
) -> None:
    held, erased = at_once(
        lambda: office.training.place_hold("ann", LAWSUIT),
        lambda: office.training.erase_person("ann", WITH_REASON),
    )
    if isinstance(erased, Exception):
        assert (type(erased), str(erased)[-9:]) == (LegalHoldError, "Lawsuit 4")
    else:
        assert isinstance(held, EmployeeErasedError)
    assert len(office.log()) == 1
