"""Adding leaves to the stored tree.

Each row of leaves stands under the number of its first leaf, which is a key. So two that add at
once, or one that does not know that the tree has grown, cannot make the tree fork: of two rows
that begin at the same leaf the database takes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import LiteralString

import psycopg

from eventlog.pool import Connection
from proof.hashing import HASH_BYTES, root_of

TILE_LEVELS = 8
TILE = 1 << TILE_LEVELS

_END: LiteralString = """
select first + cardinality(positions), last_position
from rollbook.merkle_leaves order by first desc limit 1
"""
_TILE_HASHES: LiteralString = """
select hashes from rollbook.merkle_leaves where first >= %s order by first
"""
_SUBTREE_HASHES: LiteralString = """
select hash from rollbook.merkle_subtrees where level = %s and number >= %s order by number
"""
_ADD_LEAVES: LiteralString = """
insert into rollbook.merkle_leaves (first, last_position, positions, hashes)
values (%s, %s, %s, %s)
"""
_ADD_SUBTREE: LiteralString = """
insert into rollbook.merkle_subtrees (level, number, hash) values (%s, %s, %s)
"""


class TreeHasGrown(Exception):
    """Somebody else has added leaves; begin anew from where the tree ends now."""


@dataclass(slots=True)
class Edge:
    """Where the tree ends, and the hashes at its edge that are not part of a full tile yet.

    `open_tiles` holds those of the leaves first, then those of each level above.
    """

    size: int
    position: int
    open_tiles: list[bytes]


@dataclass(slots=True)
class _Added:
    leaves: list[tuple[int, int, list[int], bytes]] = field(default_factory=list)
    subtrees: list[tuple[int, int, bytes]] = field(default_factory=list)


def end_of(conn: Connection) -> tuple[int, int]:
    """Of how many leaves the stored tree is, and the position of the last of them."""
    size, position = conn.execute(_END).fetchone() or (0, 0)
    return size, position


def edge_of(conn: Connection) -> Edge:
    """Where the stored tree ends."""
    size, position = end_of(conn)
    rows = conn.execute(_TILE_HASHES, (size // TILE * TILE,))
    open_tiles = [b"".join(hashes for (hashes,) in rows)]
    for level in count(1):
        full = size // TILE**level
        if full == 0:
            return Edge(size, position, open_tiles)
        rows = conn.execute(_SUBTREE_HASHES, (level, full // TILE * TILE))
        open_tiles.append(b"".join(hashes for (hashes,) in rows))
    raise AssertionError


def add_leaves(
    conn: Connection, edge: Edge, positions: Sequence[int], hashes: Sequence[bytes]
) -> Edge:
    """Adds the leaves of events that follow the edge, all or none; returns the new edge.

    Raises `TreeHasGrown` when the tree does not end there any more.
    """
    added, grown = _Added(), Edge(edge.size, edge.position, list(edge.open_tiles))
    for begin, end in _tiles(edge.size, len(hashes)):
        piece = b"".join(hashes[begin:end])
        row = (grown.size, positions[end - 1], list(positions[begin:end]), piece)
        added.leaves.append(row)
        grown.size += end - begin
        grown.position = positions[end - 1]
        _close_full_tiles(grown, piece, added)
    try:
        with conn.transaction(), conn.cursor() as cursor:
            cursor.executemany(_ADD_LEAVES, added.leaves)
            cursor.executemany(_ADD_SUBTREE, added.subtrees)
    except psycopg.errors.UniqueViolation:
        raise TreeHasGrown from None
    return grown


def _tiles(size: int, more: int) -> Iterator[tuple[int, int]]:
    """Cuts `more` leaves behind `size` where a tile ends."""
    begin = 0
    while begin < more:
        end = min(more, begin + TILE - (size + begin) % TILE)
        yield begin, end
        begin = end


def _close_full_tiles(grown: Edge, piece: bytes, added: _Added) -> None:
    grown.open_tiles[0] += piece
    level = 0
    while len(grown.open_tiles[level]) == TILE * HASH_BYTES:
        root = root_of(grown.open_tiles[level])
        grown.open_tiles[level] = b""
        level += 1
        if level == len(grown.open_tiles):
            grown.open_tiles.append(b"")
        grown.open_tiles[level] += root
        added.subtrees.append((level, grown.size // TILE**level - 1, root))
