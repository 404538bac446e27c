"""Compares the whole log with the tree, and names every event in which they differ.

Both are read as streams side by side, so memory does not grow with the log. It works on plain
iterators, so that tests can hand it a log that was tampered with.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import islice
from struct import pack

from proof.hashing import HASH_BYTES, LEAF
from proof.leaf import POSITION, position_of
from proof.tree import Leaves


class Kind(StrEnum):
    """What became of an event."""

    ALTERED = "altered"
    REMOVED = "removed"
    ADDED = "added"
    MISNUMBERED = "has another position in the tree"


@dataclass(frozen=True, slots=True)
class Difference:
    """An event that is not as the tree has it."""

    position: int
    kind: Kind


def differences(rows: Iterable[bytes], leaves: Iterable[Leaves]) -> Iterator[Difference]:
    """What differs between the log and the tree, in order of position.

    `rows` are the bytes of the log's events in order of position. An event that was moved is
    removed at one position and added at another; of two that changed places both are altered.
    """
    log = _Log(iter(rows))
    for those in leaves:
        same = log.taken_if_same(those)
        if same is None:
            yield from _merged(log, those)
        elif _positions_in(same) != pack(f">{len(same)}q", *those.positions):
            yield from _misnumbered(same, those)
    for row in log.rest():
        yield Difference(position_of(row), Kind.ADDED)


class _Log:
    """The rows, with those in front that were looked at already."""

    def __init__(self, rows: Iterator[bytes]) -> None:
        self._rows = rows
        self._ahead: deque[bytes] = deque()

    def taken_if_same(self, leaves: Leaves) -> list[bytes] | None:
        """The next rows when they have the hashes of these leaves; otherwise they stay."""
        count = len(leaves.positions)
        self._ahead.extend(islice(self._rows, max(0, count - len(self._ahead))))
        found = list(islice(self._ahead, count))
        if b"".join([_hash(row) for row in found]) != leaves.hashes:
            return None
        for _ in range(count):
            self._ahead.popleft()
        return found

    def peek(self) -> bytes | None:
        """The next row, which stays; None at the end."""
        if not self._ahead:
            self._ahead.extend(islice(self._rows, 1))
        return self._ahead[0] if self._ahead else None

    def take(self) -> bytes:
        """The row that was peeked at."""
        return self._ahead.popleft()

    def rest(self) -> Iterator[bytes]:
        """All that is left."""
        yield from self._ahead
        yield from self._rows


def _merged(log: _Log, leaves: Leaves) -> Iterator[Difference]:
    for offset, position in enumerate(leaves.positions):
        while (row := log.peek()) is not None and position_of(row) < position:
            yield Difference(position_of(log.take()), Kind.ADDED)
        if row is None or position_of(row) > position:
            yield Difference(position, Kind.REMOVED)
            continue
        begin = offset * HASH_BYTES
        if _hash(log.take()) != leaves.hashes[begin : begin + HASH_BYTES]:
            yield Difference(position, Kind.ALTERED)


def _misnumbered(rows: list[bytes], leaves: Leaves) -> Iterator[Difference]:
    for row, position in zip(rows, leaves.positions, strict=True):
        if position_of(row) != position:
            yield Difference(position_of(row), Kind.MISNUMBERED)


def _positions_in(rows: list[bytes]) -> bytes:
    return b"".join([row[POSITION] for row in rows])


def _hash(row: bytes) -> bytes:
    return sha256(LEAF + row).digest()
