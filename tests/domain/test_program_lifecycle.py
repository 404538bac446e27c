"""The states of a program: what each allows, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from domain.act import Act
from domain.errors import InvalidValueError
from domain.training_program import (
    Admission,
    ProgramExistsError,
    ProgramHasEnrollmentsError,
    ProgramNotFoundError,
    ProgramStatus,
    ProgramStatusError,
    TrainingProgram,
)
from tests.domain.facts import (
    ARCHIVED,
    BEGAN,
    CLOSED,
    DELETED,
    PUBLISHED,
    RESTORED,
    created,
    details,
    revised,
    waitlisted,
)
from tests.domain.scenario import ACT, Fact, fact, given

PAST = {
    "draft": (created(),),
    "published": (created(), PUBLISHED),
    "closed": (created(), PUBLISHED, CLOSED),
    "archived": (created(), PUBLISHED, CLOSED, ARCHIVED),
    "deleted": (created(), DELETED),
    "nothing": (),
}
ACTIONS: dict[str, Callable[[TrainingProgram], object]] = {
    "publish": lambda program: program.publish(ACT),
    "close": lambda program: program.close(ACT),
    "archive": lambda program: program.archive(ACT),
    "restore": lambda program: program.restore(ACT),
    "delete": lambda program: program.delete(ACT),
    "revise": lambda program: program.revise(details(title="New"), ACT, frozenset()),
    "admit": lambda program: program.admit("ann", datetime.now(UTC).date(), ACT),
}
ALLOWED: dict[tuple[str, str], Fact] = {
    ("draft", "publish"): PUBLISHED,
    ("closed", "publish"): PUBLISHED,
    ("published", "close"): CLOSED,
    ("closed", "archive"): ARCHIVED,
    ("archived", "restore"): RESTORED,
    **{(state, "delete"): DELETED for state in ("draft", "published", "closed", "archived")},
    **{(state, "revise"): revised(2, title="New") for state in ("draft", "published", "closed")},
    ("published", "admit"): BEGAN,
}
CELLS = [(state, action) for state in PAST for action in ACTIONS]


@pytest.mark.parametrize(("state", "action"), ALLOWED)
def test_the_state_allows_the_action(state: str, action: str) -> None:
    given(TrainingProgram, *PAST[state]).when(ACTIONS[action]).then(ALLOWED[state, action])


@pytest.mark.parametrize(
    ("state", "action"),
    [cell for cell in CELLS if cell not in ALLOWED and cell[0] not in {"deleted", "nothing"}],
)
def test_the_state_refuses_the_action(state: str, action: str) -> None:
    outcome = given(TrainingProgram, *PAST[state]).when(ACTIONS[action])
    error = outcome.then_refused(ProgramStatusError)
    assert isinstance(error, ProgramStatusError)
    assert error.status == state


@pytest.mark.parametrize("state", ["deleted", "nothing"])
@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_not_there_refuses_everything(state: str, action: str) -> None:
    given(TrainingProgram, *PAST[state]).when(ACTIONS[action]).then_refused(ProgramNotFoundError)


@pytest.mark.parametrize("state", ["published", "closed", "archived"])
def test_a_program_that_ever_had_an_enrollment_is_never_deleted(state: str) -> None:
    past = (created(), PUBLISHED, BEGAN, *PAST[state][2:])
    given(TrainingProgram, *past).when(ACTIONS["delete"]).then_refused(ProgramHasEnrollmentsError)


def test_a_restored_program_is_closed() -> None:
    past = (*PAST["archived"], RESTORED)
    given(TrainingProgram, *past).when(lambda program: program.status).then_returns(
        ProgramStatus.CLOSED
    )


def test_a_draft_says_all_that_is_offered() -> None:
    offered = details(capacity=3, tags=("safety",))
    given(TrainingProgram).when(lambda program: program.create(offered, ACT)).then(
        created(capacity=3, tags=("safety",))
    )


@pytest.mark.parametrize("state", sorted(PAST.keys() - {"nothing"}))
def test_a_program_is_drafted_once_and_not_again_after_its_deletion(state: str) -> None:
    given(TrainingProgram, *PAST[state]).when(
        lambda program: program.create(details(title="Other"), ACT)
    ).then_refused(ProgramExistsError)


def test_a_revision_says_only_what_is_other_now_and_is_counted() -> None:
    past = (created(), revised(2, title="New"))
    given(TrainingProgram, *past).when(
        lambda program: program.revise(details(title="Newer", category="Safety"), ACT, frozenset())
    ).then(revised(3, title="Newer", category="Safety"))


def test_a_revision_that_changes_nothing_is_not_recorded() -> None:
    given(TrainingProgram, created()).when(
        lambda program: program.revise(details(), ACT, frozenset())
    ).then()


def test_a_revision_can_take_a_value_away() -> None:
    given(TrainingProgram, created(category="Safety")).when(
        lambda program: program.revise(details(), ACT, frozenset())
    ).then(revised(2, category=None))


def test_a_revision_keeps_the_rules_of_the_details() -> None:
    given(TrainingProgram, created()).when(
        lambda program: program.revise(details(capacity=0), ACT, frozenset())
    ).then_refused(InvalidValueError, about="capacity")


def test_a_deletion_can_follow_archiving() -> None:
    given(TrainingProgram, *PAST["archived"]).when(ACTIONS["delete"]).then(DELETED)


def test_enrollments_begin_once() -> None:
    given(TrainingProgram, created(), PUBLISHED, BEGAN).when(ACTIONS["admit"]).then().then_returns(
        Admission.SEAT
    )


def test_the_beginning_of_enrollments_does_not_repeat_the_reason_of_the_first() -> None:
    act = Act(ACT.provenance, reason="Ann asked for it after her accident")
    outcome = given(TrainingProgram, created(), PUBLISHED).when(
        lambda program: program.admit("ann", datetime.now(UTC).date(), act)
    )
    assert [event.reason for event in outcome.events] == [None]


def test_archiving_leaves_the_waiting_list_as_it_is() -> None:
    past = (created(capacity=1), PUBLISHED, BEGAN, waitlisted("bob"), CLOSED)
    given(TrainingProgram, *past).when(ACTIONS["archive"]).then(fact(TrainingProgram.Archived))
