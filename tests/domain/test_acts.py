"""Who, why and when: what every event says besides its facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from domain.act import Act
from domain.aggregate import Event
from domain.enrollment import Enrollment
from domain.errors import InvalidValueError
from domain.provenance import Provenance
from domain.training_program import TrainingProgram
from tests.domain.facts import PUBLISHED, ann_enrolled, created, details
from tests.domain.scenario import ACT, BY_HR, LONG_AGO, given, import_on

FULL = Provenance(
    actor="hr-1",
    role="hr_admin",
    on_behalf_of="ann",
    correlation_id="request-7",
    causation_id=None,
)
EAST = timezone(timedelta(hours=5))
WEST = timezone(-timedelta(hours=5))


def closing(act: Act) -> Event:
    (event,) = (
        given(TrainingProgram, created(), PUBLISHED)
        .when(lambda it: it.close(act))
        .then(CLOSED_FACT)
        .events
    )
    return event


CLOSED_FACT = replace(PUBLISHED, event_class=TrainingProgram.Closed)


def test_an_event_says_who_did_it_and_why() -> None:
    event = closing(Act(FULL, reason="the room is gone"))
    assert event.provenance == FULL
    assert event.reason == "the room is gone"


def test_an_event_takes_effect_when_it_is_recorded_unless_said_otherwise() -> None:
    before = datetime.now(UTC)
    event = closing(ACT)
    assert before <= event.timestamp <= datetime.now(UTC)
    assert event.effective_at == event.timestamp
    assert event.timestamp.tzinfo is UTC


def test_a_backdated_event_has_both_times() -> None:
    event = closing(Act(BY_HR, reason="reported late", effective_at=LONG_AGO))
    assert event.effective_at == LONG_AGO
    assert event.timestamp > LONG_AGO


@pytest.mark.parametrize("reason", [None, "", "  \t"])
def test_backdating_needs_a_reason(reason: str | None) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Act(BY_HR, reason=reason, effective_at=LONG_AGO)
    assert caught.value.field == "reason"


def test_an_import_backdates_without_a_reason() -> None:
    assert closing(import_on(LONG_AGO)).effective_at == LONG_AGO


def test_nothing_takes_effect_in_the_future() -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for act in (import_on(tomorrow), Act(BY_HR, reason="planned", effective_at=tomorrow)):
        given(TrainingProgram, created(), PUBLISHED).when(
            lambda it, act=act: it.close(act)  # type: ignore[misc]  # bound at once
        ).then_refused(InvalidValueError, about="effective_at")


def test_a_consequence_is_not_refused_when_the_clock_of_its_cause_was_ahead() -> None:
    ahead = datetime.now(UTC) + timedelta(minutes=1)
    caused = Act(BY_HR.caused_by("stream/1"), effective_at=ahead)
    event = closing(caused)
    assert event.effective_at == event.timestamp < ahead


def test_a_time_has_a_zone() -> None:
    with pytest.raises(InvalidValueError) as caught:
        import_on(datetime(2026, 1, 1))  # noqa: DTZ001  # the zone is missing on purpose
    assert caught.value.field == "effective_at"


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_that_is_not_one_in_utc_is_refused(year: int) -> None:
    moment = (
        datetime(1, 1, 1, tzinfo=EAST) if year == 1 else datetime(9999, 12, 31, 23, tzinfo=WEST)
    )
    with pytest.raises(InvalidValueError) as caught:
        import_on(moment)
    assert caught.value.field == "effective_at"


def test_days_are_days_in_utc() -> None:
    early_in_the_east = datetime(2026, 2, 2, 3, tzinfo=EAST)
    act = import_on(early_in_the_east)
    assert act.effective_on == date(2026, 2, 1)
    outcome = given(TrainingProgram, created(enrollment_deadline=date(2026, 2, 1)), PUBLISHED).when(
        lambda it: it.admit("ann", act.effective_on, act)
    )
    assert outcome.error is None
    assert outcome.events[0].effective_at.isoformat() == "2026-02-01T22:00:00+00:00"


@pytest.mark.parametrize("reason", ["x" * 4_001, "a\x00b", "\ud800"])
def test_a_reason_is_text_of_limited_length(reason: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Act(BY_HR, reason=reason)
    assert caught.value.field == "reason"


def test_a_consequence_is_of_the_same_request_and_names_its_cause() -> None:
    cause = closing(Act(FULL, reason="private"))
    consequence = Act(FULL, reason="private").consequence(cause)
    assert consequence.provenance == replace(
        FULL, causation_id=f"{cause.originator_id}/{cause.originator_version}"
    )
    assert consequence.reason is None
    assert consequence.effective_at == cause.effective_at


def test_every_event_of_a_decision_has_provenance_and_both_times() -> None:
    outcome = given(TrainingProgram, created(capacity=1), PUBLISHED).when(
        lambda it: it.admit("ann", LONG_AGO.date(), import_on(LONG_AGO))
    )
    assert len(outcome.events) == 2
    for event in outcome.events:
        assert event.provenance == import_on(LONG_AGO).provenance
        assert event.effective_at == LONG_AGO
        assert event.timestamp > LONG_AGO


def test_a_refused_decision_leaves_the_aggregate_as_it_was() -> None:
    past = given(Enrollment, ann_enrolled())
    outcome = past.when(lambda it: it.record_progress(ACT, 101, None, None))
    outcome.then_refused(InvalidValueError, about="percent")


def test_replaying_asks_no_rule_again() -> None:
    broken_since = (created(capacity=-5, title=""), PUBLISHED)
    given(TrainingProgram, *broken_since).when(lambda it: it.details).then_returns(
        details(capacity=-5, title="")
    )
