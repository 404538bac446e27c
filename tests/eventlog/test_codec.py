from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import pytest
from eventsourcing.persistence import MapperDeserialisationError, Notification, StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from eventlog.codec import EventCodec
from eventlog.errors import UndecodableEventError, UnknownTopicError
from eventlog.hints import UnsupportedHintError
from tests.eventlog.toys import (
    Article,
    ArticleRevised,
    Colour,
    Ordered,
    PersonalText,
    Price,
    Provenance,
    Shipped,
    ShopEvent,
)

CODEC = EventCodec([Ordered, ArticleRevised, Shipped])
STREAM = UUID("0199b1f4-6f8e-7c3a-9a56-0242ac120002")
CUSTOMER = UUID("0199b1f4-6f8e-7c3a-9a56-0242ac120003")
NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, UTC)

ORDERED = Ordered(
    originator_id=STREAM,
    originator_version=3,
    timestamp=NOON,
    provenance=Provenance("alice", None, CUSTOMER),
    reason=None,
    customer_id=CUSTOMER,
    quantity=2,
    weight_kg=0.25,
    express=True,
    discount=Decimal("1.50"),
    colours=(Colour.RED, Colour.BLUE),
    prices=(Price(Decimal("9.99"), date(2026, 1, 31)),),
    due_on=None,
    gift_for="Bob",
)


def stored(topic: str, state: dict[str, Any]) -> StoredEvent:
    return StoredEvent(STREAM, 3, topic, json.dumps(state).encode())


def test_an_event_is_stored_as_flat_json_with_personal_text_apart() -> None:
    assert json.loads(CODEC.to_stored_event(ORDERED).state) == {
        "recorded_at": "2026-11-23T12:00:00.123456Z",
        "provenance": {"actor": "alice", "on_behalf_of": None, "correlation_id": str(CUSTOMER)},
        "customer_id": str(CUSTOMER),
        "quantity": 2,
        "weight_kg": 0.25,
        "express": True,
        "discount": "1.50",
        "colours": ["red", "blue"],
        "prices": [{"amount": "9.99", "valid_from": "2026-01-31"}],
        "due_on": None,
        "personal": {"gift_for": "Bob"},
    }


def test_stream_version_and_topic_are_stored_beside_the_json() -> None:
    event = CODEC.to_stored_event(ORDERED)
    assert (event.originator_id, event.originator_version) == (STREAM, 3)
    assert event.topic == "order.placed.v2"


def test_an_event_without_personal_text_has_no_personal_part() -> None:
    shipped = Shipped(STREAM, 1, NOON, ORDERED.provenance, None, ((1.5,), ()))
    assert "personal" not in json.loads(CODEC.to_stored_event(shipped).state)


def test_moments_are_stored_in_utc_whatever_their_zone() -> None:
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    event = CODEC.to_stored_event(replace(ORDERED, timestamp=tokyo))
    assert event == CODEC.to_stored_event(ORDERED)


@pytest.mark.parametrize(
    "change",
    [
        {"timestamp": datetime(2026, 1, 1)},  # noqa: DTZ001 - what it is about
        {"weight_kg": float("nan")},
        {"weight_kg": float("inf")},
        {"gift_for": "nul \0 inside"},
    ],
)
def test_what_cannot_be_stored_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        CODEC.to_stored_event(replace(ORDERED, **change))


def test_text_that_only_looks_like_an_escaped_nul_is_stored() -> None:
    event = replace(ORDERED, gift_for=r"a backslash \u0000")
    assert CODEC.to_domain_event(CODEC.to_stored_event(event)) == event


def test_some_fields_of_a_dataclass_are_stored_by_name() -> None:
    event = ArticleRevised(
        STREAM,
        1,
        NOON,
        ORDERED.provenance,
        "typing error",
        Article("Lamp", Colour.RED, Price(Decimal(1), None), ("home",), NOON),
        {"colour": None, "price": Price(Decimal(2), date(2027, 1, 1)), "listed_at": NOON},
    )
    state = CODEC.to_stored_event(event)
    assert json.loads(state.state)["changes"] == {
        "colour": None,
        "price": {"amount": "2", "valid_from": "2027-01-01"},
        "listed_at": "2026-11-23T12:00:00.123456Z",
    }
    assert CODEC.to_domain_event(state) == event


def test_a_key_that_is_missing_is_none_where_none_is_allowed() -> None:
    state = json.loads(CODEC.to_stored_event(ORDERED).state)
    del state["discount"], state["due_on"], state["provenance"]["on_behalf_of"]
    event = CODEC.to_domain_event(stored("order.placed.v2", state))
    assert event == replace(ORDERED, discount=None)


def test_a_key_that_is_not_known_is_passed_over() -> None:
    state = json.loads(CODEC.to_stored_event(ORDERED).state) | {"from_the_future": 1}
    assert CODEC.to_domain_event(stored("order.placed.v2", state)) == ORDERED


def test_an_unknown_topic_is_an_error_of_its_own() -> None:
    with pytest.raises(UnknownTopicError) as caught:
        CODEC.to_domain_event(stored("order.eaten.v1", {}))
    assert caught.value.topic == "order.eaten.v1"


def test_an_event_of_an_unknown_class_cannot_be_stored() -> None:
    with pytest.raises(UnknownTopicError):
        EventCodec([Shipped]).to_stored_event(ORDERED)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"{}", b'{"personal": 1}', b'{"recorded_at": "yesterday"}'],
)
def test_a_state_that_cannot_be_decoded_is_named_with_its_place(text: bytes) -> None:
    event = Notification(STREAM, 3, "order.placed.v2", text, 41)
    with pytest.raises(UndecodableEventError) as caught:
        CODEC.to_domain_event(event)
    assert isinstance(caught.value, MapperDeserialisationError)
    for part in ("41", str(STREAM), "version 3", "order.placed.v2"):
        assert part in str(caught.value)


def test_an_old_topic_is_read_through_its_upcast() -> None:
    state = json.loads(CODEC.to_stored_event(ORDERED).state)
    state["amount"] = state.pop("quantity")
    codec = EventCodec(
        [Ordered],
        upcasts={"order.placed.v1": (Ordered, lambda old: old | {"quantity": old["amount"]})},
    )
    assert codec.to_domain_event(stored("order.placed.v1", state)) == ORDERED
    assert codec.topics == {"order.placed.v1", "order.placed.v2"}


def test_an_upcast_that_fails_makes_the_event_undecodable() -> None:
    codec = EventCodec([Ordered], upcasts={"order.placed.v1": (Ordered, lambda old: old["no"])})
    with pytest.raises(UndecodableEventError):
        codec.to_domain_event(stored("order.placed.v1", {}))


def test_two_classes_of_one_topic_are_refused() -> None:
    with pytest.raises(ValueError, match=r"order\.shipped\.v1"):
        EventCodec([Shipped, Shipped])


def test_a_field_without_a_stored_form_is_refused_by_name() -> None:
    @dataclass(frozen=True)
    class Odd(ShopEvent):
        TOPIC: ClassVar[str] = "odd.v1"
        anything: set[str]

    with pytest.raises(UnsupportedHintError) as caught:
        EventCodec([Odd])
    assert "anything" in caught.value.__notes__[0]


def test_personal_text_inside_of_a_nested_value_is_refused() -> None:
    with pytest.raises(UnsupportedHintError):
        EventCodec([Noted])


def test_a_class_s_own_checks_are_not_run_again_on_reading() -> None:
    codec = EventCodec([Strict])
    event = codec.to_domain_event(
        stored("strict.v1", {"recorded_at": "2026-01-01T00:00:00Z", "level": -1})
    )
    assert vars(event)["level"] == -1


@dataclass(frozen=True)
class Note:
    text: PersonalText


@dataclass(frozen=True)
class Noted(ShopEvent):
    TOPIC: ClassVar[str] = "noted.v1"
    note: Note


@dataclass(frozen=True)
class Strict:
    TOPIC: ClassVar[str] = "strict.v1"
    originator_id: UUID
    originator_version: int
    timestamp: datetime
    level: int

    def __post_init__(self) -> None:
        if self.level < 0:
            raise ValueError(self.level)


# Round trips: whatever an event holds, it comes back equal.

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
moments = st.datetimes(timezones=st.just(UTC))
decimals = st.decimals(allow_nan=False, allow_infinity=False)
floats = st.floats(allow_nan=False, allow_infinity=False)
int64 = st.integers(-(2**63), 2**63 - 1)
prices = st.builds(Price, decimals, st.none() | st.dates())
tags = st.lists(text).map(tuple)
fields = {
    "originator_id": st.uuids(),
    "originator_version": st.integers(1, 2**31 - 1),
    "timestamp": moments,
    "provenance": st.builds(Provenance, text, st.none() | text, st.none() | st.uuids()),
    "reason": st.none() | text,
}
article_parts: dict[str, st.SearchStrategy[Any]] = {
    "title": text,
    "colour": st.none() | st.sampled_from(Colour),
    "price": prices,
    "tags": tags,
    "listed_at": st.none() | moments,
}
events = st.one_of(
    st.builds(
        Ordered,
        **fields,
        customer_id=st.uuids(),
        quantity=int64,
        weight_kg=floats,
        express=st.booleans(),
        discount=st.none() | decimals,
        colours=st.lists(st.sampled_from(Colour)).map(tuple),
        prices=st.lists(prices).map(tuple),
        due_on=st.none() | st.dates(),
        gift_for=text,
    ),
    st.builds(
        ArticleRevised,
        **fields,
        revision=st.builds(Article, **article_parts),
        changes=st.fixed_dictionaries({}, optional=article_parts),
    ),
    st.builds(Shipped, **fields, parcels=st.lists(st.lists(floats).map(tuple)).map(tuple)),
)


@given(events)
def test_every_event_comes_back_equal(event: ShopEvent) -> None:
    read: object = CODEC.to_domain_event(CODEC.to_stored_event(event))
    assert read == event
    assert type(read) is type(event)


@given(events)
def test_an_event_that_was_read_is_stored_as_the_same_bytes(event: ShopEvent) -> None:
    first = CODEC.to_stored_event(event)
    assert CODEC.to_stored_event(CODEC.to_domain_event(first)) == first
