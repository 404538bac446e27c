"""Certificates: what earns one, what it says, and how it ends."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from domain.act import Act
from domain.certificate_number import ALPHABET, new_certificate_number
from domain.enrollment import (
    CertificateExistsError,
    CertificateNotLiveError,
    Enrollment,
    NoCertificateOfferedError,
)
from domain.errors import InvalidValueError
from tests.domain.facts import (
    BY_HAND,
    CERTIFIED,
    NUMBER,
    VOIDED,
    ann_enrolled,
    certified,
    completed,
    program,
    progressed,
    revoked,
)
from tests.domain.scenario import ACT, BY_HR, WITH_REASON, Fact, Outcome, given, import_on

RUNNING = (ann_enrolled(), progressed(100))
DONE = (*RUNNING, completed())
FORM = re.compile(r"RB(-[0-9A-HJKMNP-TV-Z]{5}){4}")


def completing(act: Act = ACT, **offered: object) -> Outcome:
    return given(Enrollment, *RUNNING).when(
        lambda it: it.complete(program(**offered), act, None, None)
    )


def issuing(*past: Fact, act: Act = ACT, **offered: object) -> Outcome:
    return given(Enrollment, *past).when(lambda it: it.issue_certificate(program(**offered), act))


def certificate_in(outcome: Outcome) -> Enrollment.CertificateIssued:
    certificate = outcome.events[-1]
    assert isinstance(certificate, Enrollment.CertificateIssued)
    return certificate


# Earning one.


def test_completing_issues_the_certificate_where_the_program_says_automatically() -> None:
    outcome = completing(certification=CERTIFIED)
    done, certificate = outcome.events
    assert type(done) is Enrollment.Completed
    assert isinstance(certificate, Enrollment.CertificateIssued)
    assert certificate.provenance.causation_id == done.reference
    assert certificate.effective_at == done.effective_at


def test_the_reason_of_a_completion_is_not_repeated_in_its_certificate() -> None:
    outcome = completing(WITH_REASON, certification=CERTIFIED)
    assert [event.reason for event in outcome.events] == [WITH_REASON.reason, None]


def test_completing_issues_nothing_where_somebody_is_to_do_it() -> None:
    completing(certification=BY_HAND).then(completed())


def test_completing_issues_nothing_where_nothing_is_offered() -> None:
    completing(certification=replace(CERTIFIED, offered=False)).then(completed())


def test_a_certificate_is_issued_by_hand() -> None:
    certificate = certificate_in(issuing(*DONE, certification=BY_HAND))
    assert certificate.cycle == 1
    assert certificate.provenance == BY_HR


def test_a_program_that_offers_no_certificate_issues_none() -> None:
    issuing(*DONE).then_refused(NoCertificateOfferedError)


def test_a_cycle_has_one_live_certificate() -> None:
    error = issuing(*DONE, certified(), certification=BY_HAND).then_refused(CertificateExistsError)
    assert isinstance(error, CertificateExistsError)
    assert error.number == NUMBER


# Its number.


def test_numbers_are_long_random_and_easy_to_read_out() -> None:
    numbers = {new_certificate_number() for _ in range(2_000)}
    assert len(numbers) == 2_000
    assert all(FORM.fullmatch(number) for number in numbers)
    assert len(ALPHABET) ** 20 == 2**100


def test_every_place_of_a_number_takes_many_values() -> None:
    letters = [number.replace("-", "")[2:] for number in _numbers(1_000)]
    assert min(len(set(place)) for place in zip(*letters, strict=True)) == len(ALPHABET)


def test_one_number_does_not_tell_the_next() -> None:
    shared = [
        sum(a == b for a, b in zip(one[3:], other[3:], strict=True))
        for one, other in pairwise(_numbers(300))
    ]
    assert max(shared) < 15


def _numbers(count: int) -> list[str]:
    return [new_certificate_number() for _ in range(count)]


# What it says.


def test_it_has_the_title_of_the_certification_or_else_of_the_program() -> None:
    assert certificate_in(completing(certification=CERTIFIED)).title == "Fire warden"
    untitled = replace(CERTIFIED, title=None)
    assert certificate_in(completing(certification=untitled)).title == "Fire safety"


def test_it_is_valid_from_the_day_it_was_issued() -> None:
    effective_at = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
    certificate = certificate_in(completing(import_on(effective_at), certification=CERTIFIED))
    assert certificate.valid_from == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("issued_on", "months", "valid_until"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 1, 31), 3, date(2026, 4, 30)),
        (date(2025, 12, 15), 1, date(2026, 1, 15)),
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
        (date(2026, 1, 15), 12, date(2027, 1, 15)),
        (date(2026, 1, 15), 1_200, date(2126, 1, 15)),
        (date(2026, 1, 15), None, None),
    ],
)
def test_it_is_valid_for_whole_months_to_the_same_day_or_the_last(
    issued_on: date, months: int | None, valid_until: date | None
) -> None:
    past = (ann_enrolled().at(datetime(2020, 1, 1, tzinfo=UTC)), completed())
    act = import_on(datetime.combine(issued_on, datetime.min.time(), UTC))
    certification = replace(BY_HAND, valid_for_months=months)
    certificate = certificate_in(issuing(*past, act=act, certification=certification))
    assert (certificate.valid_from, certificate.valid_until) == (issued_on, valid_until)


# Its end.


def test_a_certificate_is_revoked_for_a_reason() -> None:
    outcome = given(Enrollment, *DONE, certified()).when(
        lambda it: it.revoke_certificate(NUMBER, WITH_REASON)
    )
    outcome.then(revoked())
    assert outcome.events[0].reason == WITH_REASON.reason


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_revoking_needs_a_reason(reason: str | None) -> None:
    given(Enrollment, *DONE, certified()).when(
        lambda it: it.revoke_certificate(NUMBER, Act(BY_HR, reason=reason))
    ).then_refused(InvalidValueError, about="reason")


def test_a_certificate_is_revoked_once() -> None:
    given(Enrollment, *DONE, certified(), revoked()).when(
        lambda it: it.revoke_certificate(NUMBER, WITH_REASON)
    ).then_refused(CertificateNotLiveError)


def test_after_a_revocation_another_one_can_be_issued_with_another_number() -> None:
    certificate = certificate_in(issuing(*DONE, certified(), revoked(), certification=BY_HAND))
    assert certificate.number != NUMBER


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_voiding_needs_a_reason(reason: str | None) -> None:
    given(Enrollment, *DONE).when(
        lambda it: it.void_completion(Act(BY_HR, reason=reason))
    ).then_refused(InvalidValueError, about="reason")


def test_voiding_a_completion_revokes_its_certificate_without_repeating_the_reason() -> None:
    outcome = given(Enrollment, *DONE, certified()).when(lambda it: it.void_completion(WITH_REASON))
    outcome.then(VOIDED, revoked())
    voided, revocation = outcome.events
    assert revocation.provenance.causation_id == voided.reference
    assert (voided.reason, revocation.reason) == (WITH_REASON.reason, None)


def test_voiding_leaves_the_certificate_of_an_earlier_cycle() -> None:
    past = (*DONE, certified(), ann_enrolled(2), completed())
    given(Enrollment, *past).when(lambda it: it.void_completion(WITH_REASON)).then(VOIDED)


def test_completing_again_after_voiding_issues_another_certificate() -> None:
    past = (*DONE, certified(), VOIDED, revoked())
    outcome = given(Enrollment, *past).when(
        lambda it: it.complete(program(certification=CERTIFIED), ACT, None, None)
    )
    assert certificate_in(outcome).cycle == 1
    assert certificate_in(outcome).number != NUMBER


def test_voiding_goes_back_to_the_progress_there_was() -> None:
    past = (ann_enrolled(), progressed(70), completed(), VOIDED)
    given(Enrollment, *past).when(lambda it: it.record_progress(ACT, 75, None, None)).then(
        progressed(75)
    )
