"""The answers that were given last, for those who ask the same again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from typing import NamedTuple

from api.identity import Identity
from api.shown import Shown
from api.words import Words

LARGEST_SHARE = 16
"""One answer takes no more than such a part of the room there is."""
_OVERHEAD_BYTES = 4096
_TOPIC_BYTES = 128


class Asking(NamedTuple):
    """Who asks for what, in which words."""

    identity: Identity
    path: str
    words: Words


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer, and what it follows from.

    Attributes:
        headers: those that belong to the answer, rather than to the one request.
        shown: what it shows, and in which state.
        operation: what was asked for, as the description names it.
        route: the path with names in place of ids.
    """

    asking: Asking
    status: HTTPStatus
    headers: Sequence[tuple[str, str]]
    body: bytes
    shown: Shown
    operation: str
    route: str

    @property
    def is_whole(self) -> bool:
        """Whether it is not only the word that the caller has it."""
        return self.status == HTTPStatus.OK

    @property
    def size_bytes(self) -> int:
        """What it takes; the words may be of several KiB."""
        of_topics = _TOPIC_BYTES * len(self.shown.topics)
        return len(self.body) + len(repr(self.asking)) + of_topics + _OVERHEAD_BYTES


class KeptAnswers:
    """The answers of one process that were asked for last, in a room of so many bytes."""

    def __init__(self, room_bytes: int) -> None:
        """Keep up to `room_bytes`; 0 keeps nothing."""
        self._room_bytes = room_bytes
        self._taken_bytes = 0
        self._answers: OrderedDict[Asking, KeptAnswer] = OrderedDict()
        self._lock = Lock()

    @property
    def are_kept(self) -> bool:
        """Whether there is any room."""
        return self._room_bytes > 0

    def get(self, asking: Asking) -> KeptAnswer | None:
        """Return what was answered last."""
        with self._lock:
            kept = self._answers.get(asking)
            if kept is not None:
                self._answers.move_to_end(asking)
            return kept

    def keep(self, answer: KeptAnswer) -> None:
        """Keep an answer, if there is room for one as large; what nobody asks for makes room.

        While something is held up, nothing is kept: what is, is marked anew for each answer.
        """
        if answer.shown.state.parked:
            return
        if answer.size_bytes * LARGEST_SHARE > self._room_bytes:
            return
        with self._lock:
            self._forget(answer.asking)
            self._answers[answer.asking] = answer
            self._taken_bytes += answer.size_bytes
            while self._taken_bytes > self._room_bytes:
                self._forget(next(iter(self._answers)))

    def _forget(self, asking: Asking) -> None:
        gone = self._answers.pop(asking, None)
        if gone is not None:
            self._taken_bytes -= gone.size_bytes
