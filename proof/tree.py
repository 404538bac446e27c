"""The stored tree, asked for its roots, its leaves and the proofs that it can give."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

from eventlog.pool import Connection
from proof.growth import TILE, TILE_LEVELS, edge_of
from proof.hashing import EMPTY_ROOT, HASH_BYTES, levels_above, node_hash
from proof.paths import Part, consistency_path, inclusion_path, split

_KEPT_TILES = 64

_LEAF_AT: LiteralString = """
select first, positions from rollbook.merkle_leaves
where last_position >= %s order by last_position limit 1
"""
_POSITION_OF: LiteralString = """
select positions[%(index)s - first + 1] from rollbook.merkle_leaves
where first <= %(index)s order by first desc limit 1
"""
_LEAF_TILE: LiteralString = """
select hashes from rollbook.merkle_leaves where first >= %s and first < %s order by first
"""
_SUBTREE_TILE: LiteralString = """
select hash from rollbook.merkle_subtrees
where level = %s and number >= %s and number < %s order by number
"""
_EVERY_LEAF: LiteralString = """
select positions, hashes from rollbook.merkle_leaves
where first >= %s and first < %s order by first limit %s
"""
_PAGE = 64


class NoSuchLeaf(Exception):
    """The tree has no leaf for this position, or not this many leaves."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That the event at `position` is leaf number `index`."""

    position: int
    index: int
    leaf_hash: bytes
    path: list[bytes]


@dataclass(frozen=True, slots=True)
class Leaves:
    """Leaves of the tree that follow each other: the positions of their events, their hashes."""

    positions: list[int]
    hashes: bytes


def every_leaf(conn: Connection, size: int) -> Iterator[Leaves]:
    """The leaves in order, some at a time, up to a `size` that the tree has or had.

    Leaves that are added meanwhile are not among them: rows of leaves never reach over a size
    that the tree once had.
    """
    first = 0
    while first < size:
        rows = conn.execute(_EVERY_LEAF, (first, size, _PAGE), binary=True).fetchall()
        for positions, hashes in rows:
            first += len(positions)
            yield Leaves(positions, hashes)
        if not rows:
            return


class Tree:
    """The tree as one connection sees it; it keeps the tiles that it used last."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._tiles: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()
        self._row: tuple[int, list[int]] = (0, [])
        self.size = edge_of(conn).size

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves. Raises `NoSuchLeaf` when there are not as many."""
        self._require(size)
        return self._hash((0, size)) if size else EMPTY_ROOT

    def index_of(self, position: int) -> int:
        """The number of the leaf of the event at `position`, from 0. Raises `NoSuchLeaf`."""
        first, positions = self._row_of(position)
        offset = bisect_left(positions, position)
        if positions[offset] != position:
            raise NoSuchLeaf(position)
        return int(first) + offset

    def _row_of(self, position: int) -> tuple[int, list[int]]:
        """The number and the positions of the leaves that stand in a row with this position."""
        # Who asks for one mostly asks for the next one, too.
        kept = self._row[1]
        if not kept or not kept[0] <= position <= kept[-1]:
            row = self._conn.execute(_LEAF_AT, (position,), binary=True).fetchone()
            if row is None:
                raise NoSuchLeaf(position)
            self._row = row[0], row[1]
        return self._row

    def position_of(self, index: int) -> int:
        """The position of the event of a leaf. Raises `NoSuchLeaf`."""
        self._require(index + 1)
        row = self._conn.execute(_POSITION_OF, {"index": index}).fetchone()
        return int(row[0]) if row else 0

    def inclusion(self, position: int, size: int) -> Inclusion:
        """Proof that the event at `position` is among the first `size`. Raises `NoSuchLeaf`."""
        index = self.index_of(position)
        self._require(size)
        if index >= size:
            raise NoSuchLeaf(position)
        path = [self._hash(part) for part in inclusion_path(index, size)]
        return Inclusion(position, index, self._hash((index, index + 1)), path)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Proof that the first `old` leaves are those of the tree of `new`. Raises `NoSuchLeaf`."""
        self._require(new)
        if old > new:
            raise NoSuchLeaf(old)
        return [self._hash(part) for part in consistency_path(old, new)] if old else []

    def _require(self, size: int) -> None:
        if size > self.size:
            raise NoSuchLeaf(size)

    def _hash(self, part: Part) -> bytes:
        first, end = part
        height = (end - first - 1).bit_length()
        if end - first == 1 << height:
            return self._subtree(height, first >> height)
        middle = split(first, end)
        return node_hash(self._hash((first, middle)), self._hash((middle, end)))

    def _subtree(self, height: int, number: int) -> bytes:
        """The hash of the full subtree over 2 ** height leaves."""
        level, within = divmod(height, TILE_LEVELS)
        begin = number << within
        hashes = self._tile(level, begin // TILE)[within]
        offset = (begin % TILE >> within) * HASH_BYTES
        return hashes[offset : offset + HASH_BYTES]

    def _tile(self, level: int, number: int) -> list[bytes]:
        key = (level, number)
        if key not in self._tiles:
            self._tiles[key] = levels_above(self._load(level, number))
            if len(self._tiles) > _KEPT_TILES:
                self._tiles.popitem(last=False)
        self._tiles.move_to_end(key)
        return self._tiles[key]

    def _load(self, level: int, number: int) -> bytes:
        bounds = (number * TILE, (number + 1) * TILE)
        if level == 0:
            rows = self._conn.execute(_LEAF_TILE, bounds)
        else:
            rows = self._conn.execute(_SUBTREE_TILE, (level, *bounds))
        return b"".join(hashes for (hashes,) in rows)
