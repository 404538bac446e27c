"""Events to stored events and back, by topic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, Notification, StoredEvent

from eventlog.decoding import MakeEvent, compile_event, stored_form
from eventlog.encoding import Encode, compile_encoder
from eventlog.errors import UndecodableEventError, UnknownTopicError
from eventlog.hints import PERSONAL
from eventlog.pool import Connection
from eventlog.sealing import Keyring, Keys, person_of, seal, sealed_for, unseal
from eventlog.statements import LogRow
from eventlog.values import to_instance

NO_KEYS: Keys = MappingProxyType({})

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
Read = Callable[[bytes], Any]
"""A function from stored JSON to a class's stored form."""


class EventCodec(Mapper[UUID]):
    """Writes events as flat JSON and reads them back, by code compiled from their type hints.

    ``event_classes`` are dataclasses with a ``TOPIC``, the name under which they are stored.
    ``upcasts`` maps a topic that is no longer written to the class that took its place and a
    function from the old stored dict to the new class's, which does not see sealed text.
    ``keyring`` has the keys of the persons whom events concern; without one, no text about a
    person can be stored or read.

    Raises UnsupportedHintError for a class with a field that has no stored form, and ValueError
    when two classes have one topic.
    """

    def __init__(
        self,
        event_classes: Iterable[type[Any]],
        upcasts: Mapping[str, tuple[type[Any], Upcast]] | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        super().__init__(JSONTranscoder())
        self._keyring = keyring
        self._encoders: dict[type[Any], tuple[str, Encode]] = {}
        self._decoders: dict[str, tuple[Read, MakeEvent]] = {}
        for cls in event_classes:
            self._add(cls.TOPIC, cls, msgspec.json.Decoder(stored_form(cls)).decode)
            self._encoders[cls] = (cls.TOPIC, compile_encoder(cls))
        for topic, (cls, upcast) in (upcasts or {}).items():
            self._add(topic, cls, _upcasting(upcast, stored_form(cls)))

    def _add(self, topic: str, cls: type[Any], read: Read) -> None:
        if topic in self._decoders:
            message = f"Two event classes have the topic {topic!r}"
            raise ValueError(message)
        self._decoders[topic] = (read, compile_event(cls))

    @property
    def topics(self) -> frozenset[str]:
        """Every topic that can be read."""
        return frozenset(self._decoders)

    def keys_to_store(self, conn: Connection, events: Iterable[object]) -> Keys:
        """The keys for the text of the events, made now for persons who have none."""
        persons = set(filter(None, map(person_of, events)))
        return self._keyring.make(conn, persons) if persons and self._keyring else {}

    def keys_to_read(self, conn: Connection, states: Iterable[bytes]) -> Keys:
        """The keys for the text in the stored JSON of events, as far as they exist.

        They are asked for anew each time: what another process destroyed must be gone here, too.
        """
        persons = sealed_for(states)
        return self._keyring.find(conn, persons) if persons and self._keyring else {}

    def to_stored_event(
        self, domain_event: DomainEventProtocol[UUID], keys: Keys = NO_KEYS
    ) -> StoredEvent:
        """The event in its stored form: other bytes each time where it has sealed text.

        Raises UnknownTopicError for an event of a class that was not given, ValueError or
        TypeError for values that cannot be stored (a moment without zone, text with NUL), and
        NoKeyError when the person's key is not among the ``keys``.
        """
        cls = type(domain_event)
        try:
            topic, encode = self._encoders[cls]
        except KeyError:
            raise UnknownTopicError(getattr(cls, "TOPIC", cls.__qualname__)) from None
        state = encode(domain_event)
        if PERSONAL in state and (person := person_of(domain_event)) is not None:
            place = _place(domain_event.originator_id, domain_event.originator_version, topic)
            seal(state, person, place, keys)
        return to_instance(
            StoredEvent,
            {
                "originator_id": domain_event.originator_id,
                "originator_version": domain_event.originator_version,
                "topic": topic,
                "state": _to_json(state),
            },
        )

    def to_domain_event(
        self, stored_event: StoredEvent, keys: Keys | None = None
    ) -> DomainEventProtocol[UUID]:
        """The event as it was when stored, as `decode` gives it."""
        event = stored_event
        position = event.id if isinstance(event, Notification) else None
        stream_id: UUID = event.originator_id  # type: ignore[assignment]  # ours are all UUIDs
        row = position, stream_id, event.originator_version, event.topic, event.state
        return self.decode(row, keys)

    def decode(self, row: LogRow, keys: Keys | None = None) -> DomainEventProtocol[UUID]:
        """The event of a row as it was when stored; the checks of its class are not run again.

        Sealed text stays sealed without ``keys``: who decides or counts does not need it.
        Raises UnknownTopicError, or UndecodableEventError which names the event's place.
        """
        _, stream_id, version, topic, state = row
        try:
            read, event_of = self._decoders[topic]
        except KeyError:
            raise UnknownTopicError(topic) from None
        try:
            stored = read(state)
            personal = stored.personal
            if stored.sealed is not None:
                place = _place(stream_id, version, topic)
                personal = personal | unseal(stored.sealed, place, keys)
            event: DomainEventProtocol[UUID] = event_of(stream_id, version, stored, personal)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise UndecodableEventError(row, error) from error
        return event


def _place(stream_id: UUID, version: int, topic: str) -> str:
    return f"{stream_id}/{version}/{topic}"


def _to_json(state: dict[str, Any]) -> bytes:
    text = msgspec.json.encode(state)
    # PostgreSQL can neither index nor compare JSON text with a NUL in it, so such an event could
    # be stored but not read by its own indexes.
    if b"\\u0000" in text and _has_nul(msgspec.json.decode(text)):
        message = "text with a NUL character cannot be stored"
        raise ValueError(message)
    return text


def _has_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
        case list():
            return any(map(_has_nul, value))
    return False


def _upcasting(upcast: Upcast, form: type[msgspec.Struct]) -> Read:
    def read_old(state: bytes) -> Any:
        return msgspec.convert(upcast(msgspec.json.decode(state)), form)

    return read_old
