"""How reads were answered, so that for one that is like another nothing is decided anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from api.identity import Identity
from api.reading import Reading
from api.wire import Answer
from api.words import Words
from domain.permissions import Permission

MOST_WAYS = 2_000
LENGTH = "Content-Length"

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Way:
    """What is the same for all reads in the same words, but for an id, and in the same roles.

    Attributes:
        operation: what is asked for, as the description names it.
        route: the path with names in place of ids.
        permission: what it asks for.
        reading: what gives the answer.
        headers: what is added to those of the answer.
        replaced: the names, in lower case, of what the answer says and is not sent.
    """

    operation: str
    route: str
    permission: Permission
    reading: Reading
    headers: Headers
    replaced: frozenset[str]

    def headers_of(self, answer: Answer) -> list[tuple[str, str]]:
        """Return those that belong to an answer, whatever the state in which it is given."""
        own = [
            header for header in answer.headers.items() if header[0].lower() not in self.replaced
        ]
        if answer.status == HTTPStatus.OK:
            own.append((LENGTH, str(len(answer.body))))
        return [*own, *self.headers]


class Ways:
    """The ways of one process. A key holds all that they were decided by."""

    def __init__(self) -> None:
        """Know none."""
        self._ways: dict[Words, Way] = {}

    def get(self, endpoint: str, words: Words, identity: Identity) -> Way | None:
        """Return how what was asked for in these words is answered to callers of that kind."""
        return self._ways.get(_key(endpoint, words, identity))

    def keep(self, endpoint: str, words: Words, identity: Identity, way: Way) -> None:
        """Remember a way; where there are too many, all others are forgotten."""
        if len(self._ways) >= MOST_WAYS:
            self._ways.clear()
        self._ways[_key(endpoint, words, identity)] = way


def _key(endpoint: str, words: Words, identity: Identity) -> Words:
    return endpoint, words, identity.roles, identity.employee_id is None
