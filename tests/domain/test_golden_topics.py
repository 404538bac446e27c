"""The stored form of every event, held by samples in `golden/`: one file a topic, a line a sample.

A topic is the name of a storage format, and what is stored stays as it is for ever. So a line here
is never edited. An event that gains a field that can be left out gets two new lines, and the old
ones are read as before. A payload that has to be another one is a new topic, with an upcast from
the old; the old topic's file stays, and `RETIRED` names it.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import pytest
from eventsourcing.persistence import StoredEvent

from directory.personal_keys import PersonalKey
from domain.aggregate import Event
from domain.enrollment import Enrollment
from domain.events import ALL_EVENTS, LOOKUP_FACTS, UNIQUE_FACTS
from domain.personal_record import PersonalRecord
from domain.program_details import ProgramDetails
from domain.provenance import Provenance
from eventlog.sealing import unseal
from rollbook.assembly import event_codec
from tests.domain.samples import COMMON, DETAILS, FACTS, STREAM_ID, full, sparse

TOPICS = [
    "program_code.claimed.v1",
    "program_code.released.v1",
    "program.created.v1",
    "program.details_revised.v1",
    "program.published.v1",
    "program.closed.v1",
    "program.archived.v1",
    "program.restored.v1",
    "program.deleted.v1",
    "program.enrollments_began.v1",
    "program.seat_taken.v1",
    "program.seat_released.v1",
    "program.employee_waitlisted.v1",
    "program.employee_promoted.v1",
    "program.employee_left_waitlist.v1",
    "enrollment.enrolled.v1",
    "enrollment.waitlisted.v1",
    "enrollment.promoted.v1",
    "enrollment.progress_recorded.v1",
    "enrollment.progress_corrected.v1",
    "enrollment.completed.v2",
    "enrollment.failed.v1",
    "enrollment.withdrawn.v1",
    "enrollment.completion_voided.v1",
    "enrollment.certificate_issued.v1",
    "enrollment.certificate_revoked.v1",
    "enrollment.text_erased.v1",
    "employee.hold_placed.v1",
    "employee.hold_lifted.v1",
    "employee.erased.v1",
]
RETIRED: list[str] = ["enrollment.completed.v1"]
"""Topics that are read by an upcast and written no more."""

CODEC = event_codec()
KEYS = {"e-1001": PersonalKey(bytes(range(32)))}
GOLDEN = Path(__file__).parent / "golden"
PLAIN = {str, int, float, bool, NoneType, Decimal, date, datetime, UUID}

by_topic = pytest.mark.parametrize("event_class", ALL_EVENTS, ids=lambda cls: cls.TOPIC)


def golden(topic: str) -> list[bytes]:
    """The newest stored samples of a topic: the full one first, then the sparse one."""
    path = GOLDEN / f"{topic}.jsonl"
    return path.read_bytes().splitlines()[-2:] if path.exists() else []


def samples(event_class: type[Event]) -> list[Event]:
    return [full(event_class), sparse(event_class)]


# The samples are stored as they always were, and read as they always were.


@by_topic
def test_an_event_is_stored_exactly_as_its_golden_sample(event_class: type[Event]) -> None:
    stored = [CODEC.to_stored_event(event, KEYS) for event in samples(event_class)]
    assert [it.topic for it in stored] == [event_class.TOPIC] * 2
    assert list(map(with_opened_text, stored)) == golden(event_class.TOPIC)


def with_opened_text(stored: StoredEvent) -> bytes:
    """The stored form with the text about the employee as it was before it was sealed."""
    state = msgspec.json.decode(stored.state)
    if "sealed" in state:
        state["personal"] = unseal(state.pop("sealed"), f"{STREAM_ID}/7/{stored.topic}", KEYS)
    return msgspec.json.encode(state)


@by_topic
def test_text_about_an_employee_is_sealed(event_class: type[Event]) -> None:
    stored = CODEC.to_stored_event(full(event_class), KEYS).state.decode()
    concerns_somebody = event_class.CONCERNS is not None
    assert ("Found in the files" in stored) is not concerns_somebody
    is_receipt = event_class is PersonalRecord.Erased
    assert concerns_somebody is ("employee_id" in FACTS[event_class] and not is_receipt)


@by_topic
def test_a_sealed_event_is_read_as_it_was(event_class: type[Event]) -> None:
    for event in samples(event_class):
        assert CODEC.to_domain_event(CODEC.to_stored_event(event, KEYS), KEYS) == event


@by_topic
def test_a_golden_sample_is_read_as_the_event_it_was(event_class: type[Event]) -> None:
    for state, event in zip(golden(event_class.TOPIC), samples(event_class), strict=True):
        read = CODEC.to_domain_event(StoredEvent(STREAM_ID, 7, event_class.TOPIC, state))
        assert type(read) is event_class
        assert vars(read) == vars(event)


@pytest.mark.parametrize("path", sorted(GOLDEN.iterdir()), ids=lambda path: path.stem)
def test_everything_that_was_ever_stored_can_be_read(path: Path) -> None:
    for state in path.read_bytes().splitlines():
        CODEC.to_domain_event(StoredEvent(STREAM_ID, 7, path.stem, state))


def test_a_program_from_before_signatures_asks_for_none() -> None:
    old = (GOLDEN / "program.created.v1.jsonl").read_bytes().splitlines()[0]
    event: Any = CODEC.to_domain_event(StoredEvent(STREAM_ID, 7, "program.created.v1", old))
    assert event.details == replace(DETAILS, signature_required=False)


def test_a_completion_from_before_grades_were_text_has_its_grade() -> None:
    full_one, sparse_one = (GOLDEN / "enrollment.completed.v1.jsonl").read_bytes().splitlines()
    stored = partial(StoredEvent, STREAM_ID, 7, "enrollment.completed.v1")
    event: Any = CODEC.to_domain_event(stored(full_one))
    assert (event.grade, event.reason, event.signature) == ("A", COMMON["reason"], None)
    assert vars(CODEC.to_domain_event(stored(sparse_one))) == vars(sparse(Enrollment.Completed))


# The list of topics is complete and held.


def test_the_topics_are_these_and_no_others() -> None:
    assert [event_class.TOPIC for event_class in ALL_EVENTS] == TOPICS


def test_every_topic_has_its_golden_samples_and_no_sample_is_lost() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*TOPICS, *RETIRED}


def test_the_codec_reads_the_retired_topics_too() -> None:
    assert CODEC.topics == {*TOPICS, *RETIRED}


def test_every_event_class_of_the_domain_is_in_the_list() -> None:
    assert {cls for cls in _subclasses(Event) if "TOPIC" in vars(cls)} == set(ALL_EVENTS)


def _subclasses(cls: type[Event]) -> set[type[Event]]:
    ours = [sub for sub in cls.__subclasses__() if sub.__module__.startswith("domain.")]
    return {*ours}.union(*map(_subclasses, ours))


@by_topic
def test_a_topic_is_a_subject_a_past_action_and_a_version(event_class: type[Event]) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+\.v[1-9]\d*", event_class.TOPIC)


@by_topic
def test_the_full_sample_leaves_nothing_out(event_class: type[Event]) -> None:
    event = full(event_class)
    nested = [value for value in vars(event).values() if is_dataclass(value)]
    for said in (event, *nested):
        assert not [field.name for field in fields(said) if getattr(said, field.name) is None]


def test_the_facts_of_the_log_are_fields_of_their_events() -> None:
    by_name = {event_class.TOPIC: event_class for event_class in ALL_EVENTS}
    for topic, field in (*UNIQUE_FACTS, *LOOKUP_FACTS):
        assert field in FACTS[by_name[topic]]


# What an event says is of plain, documented types.


@by_topic
def test_every_field_of_an_event_has_a_plain_type(event_class: type[Event]) -> None:
    hints = get_type_hints(event_class, include_extras=True)
    for field in fields(event_class):
        if field.name != "originator_id":
            assert _is_plain(hints[field.name]), field.name


@pytest.mark.parametrize("value_class", [ProgramDetails, Provenance])
def test_a_nested_value_is_frozen_and_of_plain_types(value_class: type[Any]) -> None:
    assert _is_plain(value_class)
    assert value_class.__dataclass_params__.frozen


def _is_plain(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return _is_annotated_plain(*get_args(hint))
    if get_origin(hint) in {Union, UnionType}:
        return all(map(_is_plain, get_args(hint)))
    if get_origin(hint) is tuple:
        item, *rest = get_args(hint)
        return rest == [...] and _is_plain(item)
    if is_dataclass(hint):
        return all(map(_is_plain, get_type_hints(hint, include_extras=True).values()))
    return hint in PLAIN or issubclass(hint, StrEnum)


def _is_annotated_plain(hint: Any, meaning: object) -> bool:
    is_personal = hint is str and meaning == "personal"
    is_subset = get_origin(hint) is dict and is_dataclass(meaning) and _is_plain(meaning)
    return is_personal or is_subset
