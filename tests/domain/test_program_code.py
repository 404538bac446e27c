"""A code belongs to one program at a time."""

from __future__ import annotations

import pytest

from domain.program_code import CodeTakenError, ProgramCode
from tests.domain.facts import OTHER_PROGRAM_ID, PROGRAM_ID
from tests.domain.scenario import ACT, fact, given

CLAIMED = fact(ProgramCode.Claimed, code="FIRE-1", program_id=PROGRAM_ID)
RELEASED = fact(ProgramCode.Released, code="FIRE-1", program_id=PROGRAM_ID)


def test_a_free_code_is_claimed() -> None:
    given(ProgramCode).when(lambda code: code.claim("FIRE-1", PROGRAM_ID, ACT)).then(CLAIMED)


def test_a_code_that_another_program_holds_is_refused() -> None:
    error = (
        given(ProgramCode, CLAIMED)
        .when(lambda code: code.claim("fire-1", OTHER_PROGRAM_ID, ACT))
        .then_refused(CodeTakenError, about="code")
    )
    assert isinstance(error, CodeTakenError)
    assert error.holder == PROGRAM_ID


def test_a_program_claims_its_own_code_again_without_a_trace() -> None:
    given(ProgramCode, CLAIMED).when(lambda code: code.claim("FIRE-1", PROGRAM_ID, ACT)).then()


def test_a_code_is_given_back() -> None:
    given(ProgramCode, CLAIMED).when(lambda code: code.release("FIRE-1", ACT)).then(RELEASED)


def test_a_code_that_was_given_back_is_free_for_another_program() -> None:
    given(ProgramCode, CLAIMED, RELEASED).when(
        lambda code: code.claim("FIRE-1", OTHER_PROGRAM_ID, ACT)
    ).then(fact(ProgramCode.Claimed, code="FIRE-1", program_id=OTHER_PROGRAM_ID))


@pytest.mark.parametrize("same", ["fire-1", " FIRE-1 ", "Fire-1", "\uff26IRE-1"])
def test_codes_that_look_the_same_are_one(same: str) -> None:
    assert ProgramCode.id_of(same) == ProgramCode.id_of("FIRE-1")


@pytest.mark.parametrize("other", ["FIRE-2", "FIRE1", "FIRE 1", ""])
def test_other_codes_are_others(other: str) -> None:
    assert ProgramCode.id_of(other) != ProgramCode.id_of("FIRE-1")
