"""Every event has words, and they hold nothing that can be erased."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from audit.words import SAID, sentence
from domain.aggregate import Event
from domain.enrollment import Enrollment
from domain.events import ALL_EVENTS
from domain.training_program import TrainingProgram
from eventlog.hints import is_personal
from tests.domain.samples import full, sparse

by_topic = pytest.mark.parametrize("event_class", ALL_EVENTS, ids=lambda cls: cls.TOPIC)


def test_the_words_are_those_of_the_events_there_are() -> None:
    assert set(SAID) == set(ALL_EVENTS)


@by_topic
def test_every_event_is_said_in_one_sentence_that_names_who_did_it(
    event_class: type[Event],
) -> None:
    said = sentence(full(event_class))
    assert said.endswith("by hr-17 (hr_admin) on behalf of e-1001.")
    assert sentence(sparse(event_class)).endswith("by hr-17 (hr_admin).")
    assert "None" not in said + sentence(sparse(event_class))


@by_topic
def test_a_sentence_is_the_same_when_the_text_about_people_is_gone(
    event_class: type[Event],
) -> None:
    hints = get_type_hints(event_class, include_extras=True)
    erased = dict.fromkeys(name for name, hint in hints.items() if is_personal(hint))
    event = full(event_class)
    assert sentence(event_class(**vars(event) | erased)) == sentence(event)


@pytest.mark.parametrize(
    ("event_class", "words"),
    [
        (Enrollment.Completed, 'Completed with 91 %, signed as "approved" by'),
        (Enrollment.Enrolled, "Enrolled, cycle 2, due on 2026-12-31 (assigned) by"),
        (Enrollment.ProgressCorrected, "Progress corrected from 62.5 % to 60 % by"),
        (TrainingProgram.SeatTaken, "Seat given to e-1001 by"),
    ],
)
def test_a_sentence_says_what_happened(event_class: type[Event], words: str) -> None:
    assert sentence(full(event_class)).startswith(words)


def test_a_revision_names_what_it_revised() -> None:
    said = vars(full(TrainingProgram.DetailsRevised)) | {"changes": {"pass_score_percent": 70.0}}
    assert sentence(TrainingProgram.DetailsRevised(**said)).startswith(
        "Revised to revision 2 (pass score percent) by"
    )
