"""The answers that were given last, for those who ask the same again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from api.identity import Identity
from api.shown import Shown

LARGEST_SHARE = 16
"""One answer takes no more than such a part of the room there is."""
_OVERHEAD_BYTES = 4096

Words = Sequence[object]
"""How something was asked."""


def words_of(environ: Mapping[str, Any]) -> Words:
    """Return all of a GET request that may decide its answer (PEP 3333)."""
    said = [item for item in environ.items() if item[0].startswith("HTTP_")]
    return environ["PATH_INFO"], environ.get("QUERY_STRING"), environ["wsgi.url_scheme"], *said


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer, and what it follows from besides the words of the request.

    Attributes:
        words: of the request.
        status: the line that tells it, such as `200 OK`.
        headers: those that belong to the answer, rather than to the one request.
        shown: what it shows, and in which state.
        identity: who asked.
        operation: what was asked for, as the description names it.
        route: the path with names in place of ids.
    """

    words: Words
    status: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    shown: Shown
    identity: Identity
    operation: str
    route: str

    @property
    def size_bytes(self) -> int:
        """What it takes; among the words there may be a token of several KiB."""
        return len(self.body) + len(repr(self.words)) + _OVERHEAD_BYTES


class KeptAnswers:
    """The answers of one process that were asked for last, in a room of so many bytes."""

    def __init__(self, room_bytes: int) -> None:
        """Keep up to `room_bytes`; 0 keeps nothing."""
        self._room_bytes = room_bytes
        self._taken_bytes = 0
        self._answers: OrderedDict[Words, KeptAnswer] = OrderedDict()
        self._lock = Lock()

    def get(self, words: Words) -> KeptAnswer | None:
        """Return what was answered last to these words."""
        with self._lock:
            kept = self._answers.get(words)
            if kept is not None:
                self._answers.move_to_end(words)
            return kept

    def keep(self, answer: KeptAnswer) -> None:
        """Keep an answer, if there is room for one as large; what nobody asks for makes room."""
        if answer.size_bytes * LARGEST_SHARE > self._room_bytes:
            return
        with self._lock:
            self._forget(answer.words)
            self._answers[answer.words] = answer
            self._taken_bytes += answer.size_bytes
            while self._taken_bytes > self._room_bytes:
                self._forget(next(iter(self._answers)))

    def _forget(self, words: Words) -> None:
        gone = self._answers.pop(words, None)
        if gone is not None:
            self._taken_bytes -= gone.size_bytes
