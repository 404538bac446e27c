"""Text about a person is sealed with that person's key, and bound to its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from directory.personal_keys import PersonalKey, PersonalKeys, destroy_key, new_key
from eventlog.codec import EventCodec
from eventlog.errors import NoKeyError, UndecodableEventError
from eventlog.event_store import SealingEventStore
from eventlog.pool import Pool, open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.sealing import ERASED, UNOPENED, sealed_for
from tests.eventlog.events import is_waiting_for_a_lock
from tests.eventlog.toys import PersonalText
from tests.patience import eventually

STREAM = UUID("0199b1f4-6f8e-7c3a-9a56-0242ac120002")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Praised:
    TOPIC: ClassVar[str] = "employee.praised.v1"
    CONCERNS: ClassVar[str] = "employee_id"
    originator_id: UUID
    originator_version: int
    timestamp: datetime
    employee_id: str
    words: PersonalText | None
    whisper: PersonalText | None = None


@dataclass(frozen=True)
class Scolded(Praised):
    TOPIC: ClassVar[str] = "employee.scolded.v1"


CODEC = EventCodec([Praised, Scolded], keyring=PersonalKeys())
KEYS = {"ann": PersonalKey(bytes(range(32))), "bob": PersonalKey(bytes(32))}
PRAISED = Praised(STREAM, 1, NOON, "ann", "Zoë did well", "at last")

# What stands in a log must be readable for ever: this is one such event.
STORED = (
    b'{"recorded_at":"2026-11-23T12:00:00Z","employee_id":"ann","sealed":{"person":"ann",'
    b'"texts":{"words":"vUWA6xMr+jxLeCyZLdQ3B7tLOgUO8eB11djXwSq4qksOoerNKi7fOLA="}}}'
)


def altered(event: StoredEvent, old: str, new: str) -> StoredEvent:
    assert old in event.state.decode()
    return replace(event, state=event.state.decode().replace(old, new, 1).encode())


def test_what_is_stored_says_whose_text_it_is_and_nothing_of_the_text() -> None:
    state = CODEC.to_stored_event(PRAISED, KEYS).state
    assert json.loads(state)["sealed"]["person"] == "ann"
    assert set(json.loads(state)["sealed"]["texts"]) == {"words", "whisper"}
    assert b"well" not in state
    assert b"last" not in state


def test_whose_keys_are_needed_is_found_without_decoding_the_other_events() -> None:
    bare = replace(PRAISED, words=None, whisper=None)
    of_bob = replace(PRAISED, employee_id="bob", words='"}}', whisper="}}}")
    stored = [CODEC.to_stored_event(event, KEYS) for event in (PRAISED, bare, of_bob)]
    states = [event.state for event in stored]
    assert sealed_for(states) == {"ann", "bob"}
    assert sealed_for([b'{"a":{"b":{}}}', states[1]]) == set()


def test_text_that_was_sealed_long_ago_is_still_read() -> None:
    event = CODEC.to_domain_event(StoredEvent(STREAM, 1, Praised.TOPIC, STORED), KEYS)
    assert event == replace(PRAISED, whisper=None)


def test_text_from_before_it_was_sealed_is_still_read() -> None:
    state = b'{"recorded_at":"2026-11-23T12:00:00Z","employee_id":"ann","personal":{"words":"Hm"}}'
    event = CODEC.to_domain_event(StoredEvent(STREAM, 1, Praised.TOPIC, state), KEYS)
    assert event == replace(PRAISED, words="Hm", whisper=None)


def test_without_keys_text_stays_sealed_and_without_the_person_s_key_it_is_erased() -> None:
    stored = CODEC.to_stored_event(replace(PRAISED, whisper=None), KEYS)
    unopened = replace(PRAISED, words=UNOPENED, whisper=None)
    assert CODEC.to_domain_event(stored) == unopened
    assert CODEC.to_domain_event(stored, {"bob": KEYS["bob"]}) == replace(unopened, words=ERASED)


def test_an_event_without_text_needs_no_key() -> None:
    silent = replace(PRAISED, words=None, whisper=None)
    stored = CODEC.to_stored_event(silent)
    assert sealed_for([stored.state]) == set()
    assert CODEC.to_domain_event(stored, KEYS) == silent


def test_text_about_somebody_without_a_key_is_not_stored() -> None:
    with pytest.raises(NoKeyError) as caught:
        CODEC.to_stored_event(PRAISED, {"bob": KEYS["bob"]})
    assert caught.value.person == "ann"
    assert "well" not in str(caught.value)


def test_text_that_another_key_sealed_is_erased() -> None:
    stored = CODEC.to_stored_event(replace(PRAISED, whisper=None), KEYS)
    erased = replace(PRAISED, words=ERASED, whisper=None)
    assert CODEC.to_domain_event(stored, {"ann": PersonalKey(new_key())}) == erased
    of_bob = altered(stored, '"person":"ann"', '"person":"bob"')
    assert CODEC.to_domain_event(of_bob, KEYS) == erased


def test_sealed_text_does_not_open_in_any_other_place() -> None:
    stored = CODEC.to_stored_event(replace(PRAISED, whisper=None), KEYS)
    moved = [
        replace(stored, originator_id=uuid4()),
        replace(stored, originator_version=2),
        replace(stored, topic=Scolded.TOPIC),
        altered(stored, '"words"', '"whisper"'),
        altered(stored, '{"words":"', '{"words":"AAAA'),
    ]
    for event in moved:
        with pytest.raises(UndecodableEventError):
            CODEC.to_domain_event(event, KEYS)


# The keys of a database.


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    with open_pool(database_url, 4) as opened:
        yield opened


@pytest.fixture
def events(pool: Pool) -> SealingEventStore:
    return SealingEventStore(CODEC, PostgresRecorder(pool))


def test_the_key_is_made_with_the_first_text_and_used_again(
    events: SealingEventStore, pool: Pool
) -> None:
    stream = uuid4()
    ann = [replace(PRAISED, originator_id=stream, originator_version=v) for v in (1, 2)]
    bob = replace(PRAISED, originator_id=uuid4(), employee_id="bob")
    for event in (*ann, bob):
        events.put([event])
    assert events.read(stream) == ann
    assert [event.words for event in events.get(stream)] == [UNOPENED] * 2  # type: ignore[attr-defined]
    with pool.connection() as conn:
        rows = conn.execute("select employee_id, length(key) from rollbook.personal_keys")
        assert set(rows) == {("ann", 32), ("bob", 32)}


def test_a_destroyed_key_erases_everywhere_at_once_and_never_comes_back(
    events: SealingEventStore, pool: Pool
) -> None:
    ann, bob = PRAISED, replace(PRAISED, originator_id=uuid4(), employee_id="bob")
    events.put([ann, bob])
    with pool.connection() as conn:
        destroy_key(conn, "ann")
    assert events.read(STREAM) == [replace(ann, words=ERASED, whisper=ERASED)]
    assert events.read(bob.originator_id) == [bob]
    with pytest.raises(NoKeyError):
        events.put([replace(ann, originator_version=2)])
    assert len(events.read(STREAM)) == 1


def test_where_keys_were_lost_new_ones_are_made_and_old_text_is_erased(
    events: SealingEventStore, pool: Pool
) -> None:
    events.put([PRAISED])
    # As a backup without the keys is restored.
    with pool.connection() as conn:
        conn.execute("delete from rollbook.personal_keys")
    later = replace(PRAISED, originator_version=2)
    events.put([later])
    assert events.read(STREAM) == [replace(PRAISED, words=ERASED, whisper=ERASED), later]


def test_nothing_is_stored_of_a_transaction_that_fails_not_even_its_keys(pool: Pool) -> None:
    recorder = PostgresRecorder(pool)
    events = SealingEventStore(CODEC, recorder)
    with pytest.raises(IntegrityError), recorder.transaction():
        events.put([PRAISED, PRAISED])
    with pool.connection() as conn:
        assert conn.execute("select count(*) from rollbook.personal_keys").fetchone() == (0,)


def test_two_who_make_a_key_at_once_get_the_same_one(pool: Pool, database_url: str) -> None:
    make = PersonalKeys().make
    with (
        pool.connection() as first,
        pool.connection() as second,
        psycopg.connect(database_url) as observer,
        ThreadPoolExecutor(1) as threads,
    ):
        with first.transaction():
            one = make(first, ["ann"])["ann"]
            making = threads.submit(make, second, ["ann"])
            eventually(lambda: is_waiting_for_a_lock(observer))
        two = making.result(20)["ann"]
    assert two.unseal(one.seal("the same", "here"), "here") == "the same"
