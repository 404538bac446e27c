"""Progress, its correction, and what completing asks for."""

from __future__ import annotations

import pytest

from domain.act import Act
from domain.enrollment import Enrollment, PassScoreError, ProgressFallsError
from domain.errors import InvalidValueError
from tests.domain.facts import (
    ann_enrolled,
    completed,
    corrected,
    failed,
    program,
    progressed,
)
from tests.domain.scenario import ACT, BY_HR, WITH_REASON, given

HALFWAY = (ann_enrolled(), progressed(50))
NOT_A_PERCENT = [-0.01, 100.01, 33.333, float("nan"), float("inf"), float("-inf")]


@pytest.mark.parametrize("percent", [50, 50.01, 100])
def test_progress_stays_or_grows(percent: float) -> None:
    given(Enrollment, *HALFWAY).when(lambda it: it.record_progress(ACT, percent, None, None)).then(
        progressed(percent)
    )


@pytest.mark.parametrize("percent", [0, 49.99])
def test_progress_never_falls(percent: float) -> None:
    error = (
        given(Enrollment, *HALFWAY)
        .when(lambda it: it.record_progress(ACT, percent, None, None))
        .then_refused(ProgressFallsError, about="percent")
    )
    assert isinstance(error, ProgressFallsError)
    assert error.was_percent == 50


def test_the_first_progress_can_be_none() -> None:
    given(Enrollment, ann_enrolled()).when(lambda it: it.record_progress(ACT, 0, None, None)).then(
        progressed(0)
    )


def test_progress_can_say_a_score_and_a_note() -> None:
    given(Enrollment, ann_enrolled()).when(
        lambda it: it.record_progress(ACT, 20, 77.5, "first quiz")
    ).then(progressed(20, 77.5, "first quiz"))


@pytest.mark.parametrize("percent", NOT_A_PERCENT)
def test_progress_is_a_percent(percent: float) -> None:
    given(Enrollment, ann_enrolled()).when(
        lambda it: it.record_progress(ACT, percent, None, None)
    ).then_refused(InvalidValueError, about="percent")


@pytest.mark.parametrize("score_percent", NOT_A_PERCENT)
def test_every_score_is_a_percent(score_percent: float) -> None:
    scenario = given(Enrollment, ann_enrolled())
    for outcome in (
        scenario.when(lambda it: it.record_progress(ACT, 10, score_percent, None)),
        scenario.when(lambda it: it.complete(program(), ACT, score_percent, None)),
        scenario.when(lambda it: it.fail(ACT, score_percent)),
    ):
        outcome.then_refused(InvalidValueError, about="score_percent")


@pytest.mark.parametrize("note", ["x" * 4_001, "a\x00b", "\udcff"])
def test_a_note_is_text_of_limited_length(note: str) -> None:
    given(Enrollment, ann_enrolled()).when(
        lambda it: it.record_progress(ACT, 10, None, note)
    ).then_refused(InvalidValueError, about="note")


# Correcting.


@pytest.mark.parametrize("percent", [0, 49.99, 50.01, 100])
def test_a_correction_can_go_down_or_up(percent: float) -> None:
    given(Enrollment, *HALFWAY).when(lambda it: it.correct_progress(WITH_REASON, percent)).then(
        corrected(50, percent)
    )


def test_progress_goes_on_from_the_correction() -> None:
    past = (*HALFWAY, corrected(50, 20))
    given(Enrollment, *past).when(lambda it: it.record_progress(ACT, 30, None, None)).then(
        progressed(30)
    )


@pytest.mark.parametrize("reason", [None, "", " \n"])
def test_a_correction_needs_a_reason(reason: str | None) -> None:
    given(Enrollment, *HALFWAY).when(
        lambda it: it.correct_progress(Act(BY_HR, reason=reason), 20)
    ).then_refused(InvalidValueError, about="reason")


def test_a_correction_corrects_something() -> None:
    given(Enrollment, *HALFWAY).when(lambda it: it.correct_progress(WITH_REASON, 50)).then_refused(
        InvalidValueError, about="percent"
    )


@pytest.mark.parametrize("percent", NOT_A_PERCENT)
def test_a_correction_is_a_percent(percent: float) -> None:
    given(Enrollment, *HALFWAY).when(
        lambda it: it.correct_progress(WITH_REASON, percent)
    ).then_refused(InvalidValueError, about="percent")


# Ending.


def test_a_program_without_a_pass_score_asks_for_no_score() -> None:
    given(Enrollment, *HALFWAY).when(lambda it: it.complete(program(), ACT, None, "A")).then(
        completed(grade="A")
    )


@pytest.mark.parametrize("score_percent", [70, 70.01, 100])
def test_reaching_the_pass_score_completes(score_percent: float) -> None:
    demanding = program(pass_score_percent=70.0)
    given(Enrollment, *HALFWAY).when(
        lambda it: it.complete(demanding, ACT, score_percent, None)
    ).then(completed(score_percent))


@pytest.mark.parametrize("score_percent", [None, 0, 69.99])
def test_completing_asks_for_the_pass_score(score_percent: float | None) -> None:
    demanding = program(pass_score_percent=70.0)
    error = (
        given(Enrollment, *HALFWAY)
        .when(lambda it: it.complete(demanding, ACT, score_percent, None))
        .then_refused(PassScoreError, about="score_percent")
    )
    assert isinstance(error, PassScoreError)
    assert error.needed == 70


def test_a_grade_is_of_limited_length() -> None:
    given(Enrollment, *HALFWAY).when(
        lambda it: it.complete(program(), ACT, None, "x" * 201)
    ).then_refused(InvalidValueError, about="grade")


def test_failing_can_say_a_score() -> None:
    given(Enrollment, *HALFWAY).when(lambda it: it.fail(ACT, 12.5)).then(failed(12.5))
