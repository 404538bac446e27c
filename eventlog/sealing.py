"""Text about a person, sealed with that person's own key: to destroy the key is to erase the text.

An event class whose ``CONCERNS`` names a field is about the person of that id. Its personal text is
stored sealed, field by field, with the person beside it. A sealed text is bound to its stream,
version, topic and field, so that none can be moved to another place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from eventlog.errors import NoKeyError
from eventlog.hints import PERSONAL, personal_fields
from eventlog.pool import Connection

SEALED = "sealed"

ERASED = "[erased]"
"""What is read in the place of a text whose key is destroyed."""

UNOPENED = "[sealed]"
"""What is read in the place of a text when no keys were asked for."""

# The sealed part stands last, and its texts last in it.
_END = b"}}}"


class Key(Protocol):
    """One person's key. A place is text that must be the same in sealing and unsealing."""

    @property
    def name(self) -> str:
        """What tells this key from the person's other ones, and nothing else of it."""

    def seal(self, text: str, place: str) -> str:
        """The text in sealed form, another one each time."""

    def unseal(self, sealed: str, place: str) -> str:
        """The text; raises ValueError when it was altered, or sealed in another place."""


Keys = Mapping[str, Key]
"""Keys by the ids of their persons."""


class Keyring(Protocol):
    """Where the keys are."""

    def find(self, conn: Connection, persons: Collection[str]) -> Keys:
        """The keys of those persons who have one."""

    def make(self, conn: Connection, persons: Collection[str]) -> Keys:
        """The keys of the persons, made now where there is none.

        For a person who was erased there is none: it may raise an error of its own then.
        """


def person_of(event: Any) -> str | None:
    """The person whom personal text of the event concerns; None when it has no such text."""
    field = getattr(event, "CONCERNS", None)
    if field is None or all(getattr(event, n) is None for n in personal_fields(event.__class__)):
        return None
    person: str = getattr(event, field)
    return person


def sealed_for(states: Iterable[bytes]) -> set[str]:
    """The persons with whose keys text in the stored JSON of events is sealed."""
    # Most events have none, so what is done for each of them is all that counts here.
    likely = [state for state in states if state.endswith(_END)]
    return {person for state in likely if (person := _person_in(state)) is not None}


def _person_in(state: bytes) -> str | None:
    try:
        person: str = msgspec.json.decode(state)[SEALED]["person"]
    except (msgspec.DecodeError, KeyError, TypeError):
        # Whoever decodes the event is told.
        return None
    return person


def seal(state: dict[str, Any], person: str, place: str, keys: Keys) -> None:
    """Turns the personal text of a state into sealed text.

    Raises NoKeyError when the person's key is not among the keys, ValueError for text with NUL.
    """
    if person not in keys:
        raise NoKeyError(person)
    key, texts = keys[person], state.pop(PERSONAL)
    if any("\0" in text for text in texts.values()):
        message = "text with a NUL character cannot be stored"
        raise ValueError(message)
    sealed = {name: key.seal(text, f"{place}/{name}") for name, text in texts.items()}
    state[SEALED] = {"person": person, "key": key.name, "texts": sealed}


def unseal(sealed: Mapping[str, Any], place: str, keys: Keys | None) -> dict[str, str]:
    """The personal text of the sealed part of a state.

    It is UNOPENED without keys, and ERASED without the person's own, or where that was lost and
    made anew since. Raises ValueError when a text was altered.
    """
    texts: dict[str, str] = sealed["texts"]
    if keys is None:
        return dict.fromkeys(texts, UNOPENED)
    if (key := keys.get(sealed["person"])) is None or sealed.get("key", key.name) != key.name:
        return dict.fromkeys(texts, ERASED)
    return {name: key.unseal(text, f"{place}/{name}") for name, text in texts.items()}
