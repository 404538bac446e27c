"""The states of an enrollment: what each allows, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.enrollment import (
    CertificateNotLiveError,
    DuplicateEnrollmentError,
    Enrollment,
    EnrollmentNotFoundError,
    EnrollmentStatusError,
    Source,
)
from domain.training_program import TrainingProgram
from tests.domain.facts import (
    BY_HAND,
    NUMBER,
    PROMOTED,
    VOIDED,
    WITHDRAWN,
    ann_enrolled,
    ann_waitlisted,
    certified,
    completed,
    corrected,
    failed,
    program,
    progressed,
    revoked,
)
from tests.domain.scenario import ACT, WITH_REASON, Fact, given


def offered() -> TrainingProgram:
    return program(certification=BY_HAND)


def enroll(enrollment: Enrollment, *, waiting: bool = False) -> None:
    enrollment.enroll(
        offered(),
        "ann",
        ACT,
        waiting=waiting,
        source=Source.ASSIGNED,
        due_on=None,
        department="Sales",
    )


PAST = {
    "waitlisted": (ann_waitlisted(),),
    "enrolled": (ann_enrolled(),),
    "in_progress": (ann_enrolled(), progressed(50)),
    "completed": (ann_enrolled(), completed()),
    "certified": (ann_enrolled(), completed(), certified()),
    "failed": (ann_enrolled(), failed()),
    "withdrawn": (ann_enrolled(), WITHDRAWN),
    "voided": (ann_enrolled(), completed(), VOIDED),
    "promoted": (ann_waitlisted(), PROMOTED),
    "nothing": (),
}
STATUS = {"certified": "completed", "voided": "in_progress", "promoted": "enrolled"}
OPEN = ("waitlisted", "enrolled", "promoted", "in_progress", "voided")
RUNNING = OPEN[1:]
ENDED = ("completed", "certified", "failed", "withdrawn")

ACTIONS: dict[str, Callable[[Enrollment], object]] = {
    "enroll": enroll,
    "wait": lambda enrollment: enroll(enrollment, waiting=True),
    "promote": lambda enrollment: enrollment.promote(ACT),
    "progress": lambda enrollment: enrollment.record_progress(ACT, 60, None, None),
    "correct": lambda enrollment: enrollment.correct_progress(WITH_REASON, 10),
    "complete": lambda enrollment: enrollment.complete(offered(), ACT, None, None),
    "fail": lambda enrollment: enrollment.fail(ACT, None),
    "withdraw": lambda enrollment: enrollment.withdraw(ACT),
    "void": lambda enrollment: enrollment.void_completion(WITH_REASON),
    "certify": lambda enrollment: enrollment.issue_certificate(offered(), ACT),
    "revoke": lambda enrollment: enrollment.revoke_certificate(NUMBER, WITH_REASON),
}
ALLOWED: dict[tuple[str, str], tuple[Fact, ...]] = {
    ("nothing", "enroll"): (ann_enrolled(),),
    ("nothing", "wait"): (ann_waitlisted(),),
    **{(state, "enroll"): (ann_enrolled(2, program_revision=1),) for state in ENDED},
    **{(state, "wait"): (ann_waitlisted(2),) for state in ENDED},
    ("waitlisted", "promote"): (PROMOTED,),
    **{(state, "progress"): (progressed(60),) for state in RUNNING},
    ("in_progress", "correct"): (corrected(50, 10),),
    ("voided", "correct"): (corrected(0, 10),),
    **{(state, "complete"): (completed(),) for state in RUNNING},
    **{(state, "fail"): (failed(),) for state in RUNNING},
    **{(state, "withdraw"): (WITHDRAWN,) for state in OPEN},
    ("completed", "void"): (VOIDED,),
    ("certified", "void"): (VOIDED, revoked()),
    ("certified", "revoke"): (revoked(),),
}
HAS_A_NUMBER_OF_ITS_OWN = {("completed", "certify")}
CELLS = [(state, action) for state in PAST for action in ACTIONS]
CERTIFICATE_ACTIONS = {("certified", "certify")}
ENTERING = {"enroll", "wait"}


@pytest.mark.parametrize(("state", "action"), ALLOWED)
def test_the_state_allows_the_action(state: str, action: str) -> None:
    given(Enrollment, *PAST[state]).when(ACTIONS[action]).then(*ALLOWED[state, action])


def test_a_completed_enrollment_can_be_certified() -> None:
    outcome = given(Enrollment, *PAST["completed"]).when(ACTIONS["certify"])
    assert [type(event) for event in outcome.events] == [Enrollment.CertificateIssued]


REFUSED = [
    (state, action)
    for state, action in CELLS
    if (state, action) not in {*ALLOWED, *HAS_A_NUMBER_OF_ITS_OWN, *CERTIFICATE_ACTIONS}
    and state != "nothing"
    and action not in ENTERING
    and action != "revoke"
]


@pytest.mark.parametrize(("state", "action"), REFUSED)
def test_the_state_refuses_the_action(state: str, action: str) -> None:
    outcome = given(Enrollment, *PAST[state]).when(ACTIONS[action])
    error = outcome.then_refused(EnrollmentStatusError)
    assert isinstance(error, EnrollmentStatusError)
    assert error.status == STATUS.get(state, state)


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("action", sorted(ENTERING))
def test_an_open_cycle_refuses_another_one(state: str, action: str) -> None:
    scenario = given(Enrollment, *PAST[state])
    error = scenario.when(ACTIONS[action]).then_refused(DuplicateEnrollmentError)
    assert isinstance(error, DuplicateEnrollmentError)
    assert error.enrollment_id == scenario.stream_id


@pytest.mark.parametrize("action", sorted(ACTIONS.keys() - ENTERING - {"revoke"}))
def test_what_is_not_there_refuses_everything(action: str) -> None:
    given(Enrollment).when(ACTIONS[action]).then_refused(EnrollmentNotFoundError)


@pytest.mark.parametrize("state", sorted(PAST.keys() - {"certified"}))
def test_a_number_that_is_not_of_a_live_certificate_is_not_revoked(state: str) -> None:
    given(Enrollment, *PAST[state]).when(ACTIONS["revoke"]).then_refused(CertificateNotLiveError)


@pytest.mark.parametrize(
    ("state", "holds_place"),
    [
        ("nothing", False),
        ("waitlisted", False),
        ("withdrawn", False),
        ("enrolled", True),
        ("promoted", True),
        ("in_progress", True),
        ("completed", True),
        ("failed", True),
        ("voided", True),
    ],
)
def test_a_place_is_held_from_getting_it_until_withdrawing(
    state: str, *, holds_place: bool
) -> None:
    given(Enrollment, *PAST[state]).when(lambda it: it.holds_place).then_returns(holds_place)
