"""Holds what is stored of the tree beside its leaves to what the leaves make of it.

Proofs and checkpoints are made of the stored hashes of subtrees, and leaves are found by their
numbers. So these are checked against the leaves, which are checked against the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import LiteralString

from eventlog.pool import Connection
from proof.growth import TILE
from proof.live import Kind

# A level more would be over more leaves than there can be positions.
_LEVELS = 7

_PAGE = 1_000

_NEXT: LiteralString = """
select number, hash from rollbook.merkle_subtrees
where level = %s and number > %s order by number limit %s
"""
# One statement, for a subtree is added together with the last of its leaves.
_STRAY: LiteralString = """
select level, number from rollbook.merkle_subtrees
where level not between 1 and %(levels)s or number < 0
or (number + 1) * 256::numeric ^ level > (
    select coalesce(max(first + cardinality(positions)), 0) from rollbook.merkle_leaves
)
order by level, number
"""
_MISPLACED: LiteralString = """
select first from (
    select first, cardinality(positions) as leaves, last_position,
           positions[cardinality(positions)] as last_of_them,
           lag(first + cardinality(positions), 1, 0::bigint) over (order by first) as begin
    from rollbook.merkle_leaves
) as rows
where first <> begin or last_position is distinct from last_of_them
order by first
"""


@dataclass(frozen=True, slots=True)
class WrongNode:
    """Something that is stored of the tree and is not as its leaves make it.

    Attributes:
        kind: what became of it.
        level: of the subtree, which is over 256 ** level leaves; 0 for a row of leaves.
        number: of the subtree in its level, or of the first leaf of the row.
    """

    kind: Kind
    level: int
    number: int

    def __str__(self) -> str:
        """Where it stands in the tables, and what it is over."""
        if self.level == 0:
            return f"the row of leaves from {self.number} on: {self.kind}"
        where = f"the hash of subtree {self.number} of level {self.level}"
        if 0 < self.level <= _LEVELS:
            leaves = TILE**self.level
            where += f", over leaves {self.number * leaves} to {(self.number + 1) * leaves - 1}"
        return f"{where}: {self.kind}"


class StoredNodes:
    """The stored tree, held to the subtrees that its leaves make."""

    def __init__(self, conn: Connection, on_wrong: Callable[[WrongNode], None]) -> None:
        """Tell `on_wrong` what is wrong, at first what belongs to no leaf."""
        self._conn = conn
        self._on_wrong = on_wrong
        self._levels: dict[int, _Level] = {}
        self.wrong = 0
        for (first,) in conn.execute(_MISPLACED):
            self._tell(Kind.ALTERED, 0, first)
        for level, number in conn.execute(_STRAY, {"levels": _LEVELS}):
            self._tell(Kind.ADDED, level, number)

    def compare(self, level: int, number: int, computed: bytes) -> None:
        """Hold the stored hash of a subtree to the computed one; those of a level in order."""
        if level not in self._levels:
            self._levels[level] = _Level(self._conn, level)
        found = self._levels[level].take(number)
        if found != computed:
            kind = Kind.REMOVED if found is None else Kind.ALTERED
            self._tell(kind, level, number)

    def _tell(self, kind: Kind, level: int, number: int) -> None:
        self.wrong += 1
        self._on_wrong(WrongNode(kind, level, number))


class _Level:
    """The stored hashes of one level, in order."""

    def __init__(self, conn: Connection, level: int) -> None:
        self._rows = _rows(conn, level)
        self._next = next(self._rows, None)

    def take(self, number: int) -> bytes | None:
        """The hash under this number, and None when there is none."""
        while self._next is not None and self._next[0] < number:
            self._next = next(self._rows, None)
        if self._next is None or self._next[0] != number:
            return None
        return self._next[1]


def _rows(conn: Connection, level: int) -> Iterator[tuple[int, bytes]]:
    number = -1
    while True:
        rows = conn.execute(_NEXT, (level, number, _PAGE), binary=True).fetchall()
        yield from rows
        if len(rows) < _PAGE:
            return
        number = rows[-1][0]
