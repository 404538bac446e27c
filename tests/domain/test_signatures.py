"""Signatures on completions."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from domain.enrollment import Enrollment
from domain.errors import InvalidValueError
from domain.signature import SignatureRequiredError, SignedRecord, Signing
from tests.domain.office import Office
from tests.domain.scenario import ACT

SIGNING = Signing(printed_name="Ina Instructor", meaning="approved")


def completed(office: Office, signing: Signing | None) -> Enrollment.Completed:
    """The completion of ann's enrollment, at version 2."""
    program_id = office.program(signature_required=True)
    (enrollment_id,) = office.enroll(program_id, "ann")
    office.training.complete(enrollment_id, ACT, 92.5, signing=signing)
    event = list(office.training.history(enrollment_id))[1]
    assert isinstance(event, Enrollment.Completed)
    return event


def test_a_program_may_demand_a_signature(office: Office) -> None:
    with pytest.raises(SignatureRequiredError) as refused:
        completed(office, None)
    assert refused.value.field == "signature"


def test_a_signature_states_name_time_and_meaning_and_is_bound_to_the_record(
    office: Office,
) -> None:
    event = completed(office, SIGNING)
    assert event.signature is not None
    assert (event.printed_name, event.signature.meaning) == ("Ina Instructor", "approved")
    facts = {
        "cycle": 1,
        "employee_id": "ann",
        "enrollment_id": str(event.originator_id),
        "follows_version": 1,
        "meaning": "approved",
        "program_id": str(event.program_id),
        "score_percent": 92.5,
        "signed_by": event.provenance.actor,
    }
    canonical = json.dumps(facts, separators=(",", ":")).encode()
    assert event.signature.record_sha256 == sha256(canonical).hexdigest()


def test_a_signature_is_of_no_other_record(office: Office) -> None:
    event = completed(office, SIGNING)
    record = SignedRecord(
        event.originator_id, event.program_id, "ann", 1, 1, 92.5, event.provenance.actor, "approved"
    )
    assert event.signature == record.signed()
    others = [
        replace(record, cycle=2),
        replace(record, follows_version=2),
        replace(record, score_percent=92.0),
        replace(record, score_percent=None),
        replace(record, signed_by="somebody"),
        replace(record, meaning="observed"),
        replace(record, employee_id="bob"),
    ]
    assert len({record.sha256(), *(other.sha256() for other in others)}) == 1 + len(others)


def test_nobody_signs_on_behalf_of_somebody_else(office: Office) -> None:
    program_id = office.program()
    (enrollment_id,) = office.enroll(program_id, "ann")
    for_another = replace(ACT, provenance=replace(ACT.provenance, on_behalf_of="boss"))
    with pytest.raises(InvalidValueError) as refused:
        office.training.complete(enrollment_id, for_another, signing=SIGNING)
    assert refused.value.field == "signature"


@pytest.mark.parametrize("empty", ["printed_name", "meaning"])
def test_a_signature_says_who_and_what_for(empty: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        replace(SIGNING, **{empty: " "})
    assert refused.value.field == f"signature.{empty}"
