"""One enrollment holds all that an employee ever did in a program, cycle after cycle."""

from __future__ import annotations

from datetime import UTC, date, datetime

from domain.act import Act
from domain.enrollment import Enrollment, Source
from domain.errors import InvalidValueError
from tests.domain.facts import (
    CERTIFIED,
    NUMBER,
    OTHER_PROGRAM_ID,
    PROGRAM_ID,
    WITHDRAWN,
    ann_enrolled,
    ann_waitlisted,
    certified,
    completed,
    corrected,
    failed,
    program,
    progressed,
    revised,
    revoked,
)
from tests.domain.scenario import ACT, LONG_AGO, WITH_REASON, given, import_on


def enroll(enrollment: Enrollment, act: Act = ACT) -> None:
    enrollment.enroll(
        program(revised(2, title="New")),
        "ann",
        act,
        waiting=False,
        source=Source.SELF,
        due_on=date(2026, 6, 30),
        department=None,
    )


ENROLLED_BY_HERSELF = ann_enrolled(
    source=Source.SELF, due_on=date(2026, 6, 30), program_revision=2, department=None
)


def test_the_identity_follows_from_program_and_employee() -> None:
    assert Enrollment.id_of(PROGRAM_ID, "ann") == Enrollment.id_of(PROGRAM_ID, "ann")
    assert Enrollment.id_of(PROGRAM_ID, "ann") != Enrollment.id_of(PROGRAM_ID, "bob")
    assert Enrollment.id_of(PROGRAM_ID, "ann") != Enrollment.id_of(OTHER_PROGRAM_ID, "ann")


def test_enrolling_says_how_for_when_and_in_which_revision_of_the_program() -> None:
    given(Enrollment).when(enroll).then(ENROLLED_BY_HERSELF)


def test_cycles_are_counted() -> None:
    past = (ann_enrolled(), failed(), ann_waitlisted(2), WITHDRAWN, ann_enrolled(3), completed())
    outcome = given(Enrollment, *past).when(enroll)
    assert isinstance(outcome.events[0], Enrollment.Enrolled)
    assert outcome.events[0].cycle == 4


def test_a_new_cycle_begins_without_progress() -> None:
    past = (ann_enrolled(), progressed(80), failed(), ann_enrolled(2))
    given(Enrollment, *past).when(lambda it: it.record_progress(ACT, 10, None, None)).then(
        progressed(10)
    )


def test_the_certificate_of_an_earlier_cycle_stays_live() -> None:
    past = (ann_enrolled(), completed(), certified(), ann_enrolled(2))
    given(Enrollment, *past).when(lambda it: it.revoke_certificate(NUMBER, WITH_REASON)).then(
        revoked()
    )


def test_a_later_cycle_is_certified_besides_an_earlier_one() -> None:
    past = (ann_enrolled(), completed(), certified(), ann_enrolled(2))
    outcome = given(Enrollment, *past).when(
        lambda it: it.complete(program(certification=CERTIFIED), ACT, None, None)
    )
    issued = outcome.events[1]
    assert isinstance(issued, Enrollment.CertificateIssued)
    assert issued.cycle == 2
    assert issued.number != NUMBER


def test_a_cycle_does_not_begin_before_the_one_before() -> None:
    past = (ann_enrolled().at(LONG_AGO), WITHDRAWN)
    given(Enrollment, *past).when(
        lambda it: enroll(it, import_on(datetime(2026, 1, 4, tzinfo=UTC)))
    ).then_refused(InvalidValueError, about="effective_at")


def test_nothing_happens_in_a_cycle_before_it_began() -> None:
    before, same_day = datetime(2026, 1, 4, 23, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)
    given(Enrollment, ann_enrolled()).when(
        lambda it: it.record_progress(import_on(before), 10, None, None)
    ).then_refused(InvalidValueError, about="effective_at")
    given(Enrollment, ann_enrolled()).when(
        lambda it: it.record_progress(import_on(same_day), 10, None, None)
    ).then(progressed(10))


def test_a_correction_in_a_later_cycle_speaks_of_that_cycle() -> None:
    past = (ann_enrolled(), progressed(80), failed(), ann_enrolled(2), progressed(20))
    given(Enrollment, *past).when(lambda it: it.correct_progress(WITH_REASON, 5)).then(
        corrected(20, 5)
    )
