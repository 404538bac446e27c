"""Holds checkpoints to the tree: whether each states the root that its first leaves really have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from proof.growth import TILE, TILE_LEVELS
from proof.hashing import EMPTY_ROOT, HASH_BYTES, node_hash, root_of
from proof.tree import Leaves


@dataclass(frozen=True, slots=True)
class Claim:
    """What a checkpoint says, and where the checkpoint was found."""

    size: int
    root: bytes
    found: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A checkpoint that the tree does not bear out.

    Attributes:
        claim: the checkpoint.
        first_position: the first event that may be another than the one that was signed for; it
            comes behind the last checkpoint that is borne out. None when the tree has too few.
    """

    claim: Claim
    first_position: int | None


OnSubtree = Callable[[int, int, bytes], None]
"""Is told the level, the number and the hash of a subtree over 256 ** level leaves."""


class Roots:
    """Follows the leaves, and holds each claim to the root at its size."""

    def __init__(
        self, claims: Iterable[Claim], on_subtree: OnSubtree = lambda *_subtree: None
    ) -> None:
        """Take the claims in order of size; `on_subtree` is told those that are kept."""
        self._on_subtree = on_subtree
        self._claims = iter(claims)
        self._next = next(self._claims, None)
        self._tile = b""
        self._full: list[tuple[int, bytes]] = []
        self._since: int | None = None
        self.size = 0
        self.borne_out = 0
        self.contradictions: list[Contradiction] = []

    def following(self, leaves: Iterable[Leaves]) -> Iterator[Leaves]:
        """The same leaves, while their roots are made and compared."""
        self._compare()
        for those in leaves:
            self._follow(those)
            yield those
        while self._next is not None:
            self.contradictions.append(Contradiction(self._next, None))
            self._next = next(self._claims, None)

    def _follow(self, leaves: Leaves) -> None:
        begin = 0
        while begin < len(leaves.positions):
            end = min(len(leaves.positions), begin + self._until_stop())
            self._since = self._since or leaves.positions[begin]
            self._tile += leaves.hashes[begin * HASH_BYTES : end * HASH_BYTES]
            self.size += end - begin
            self._compare()
            if len(self._tile) == TILE * HASH_BYTES:
                self._close_tile()
            begin = end

    def _until_stop(self) -> int:
        """How many leaves there are up to the end of the tile or the next claim."""
        to_end = TILE - len(self._tile) // HASH_BYTES
        if self._next is None:
            return to_end
        return min(to_end, self._next.size - self.size)

    def _compare(self) -> None:
        while self._next is not None and self._next.size <= self.size:
            if self._next.root == self._root():
                self.borne_out += 1
                self._since = None
            else:
                self.contradictions.append(Contradiction(self._next, self._since))
            self._next = next(self._claims, None)

    def _close_tile(self) -> None:
        count, root = 1, root_of(self._tile)
        self._show(count, root)
        while self._full and self._full[-1][0] == count:
            _, left = self._full.pop()
            count, root = 2 * count, node_hash(left, root)
            self._show(count, root)
        self._full.append((count, root))
        self._tile = b""

    def _show(self, tiles: int, root: bytes) -> None:
        height = tiles.bit_length() - 1
        if height % TILE_LEVELS == 0:
            level, number = height // TILE_LEVELS + 1, self.size // (TILE * tiles) - 1
            self._on_subtree(level, number, root)

    def _root(self) -> bytes:
        if self.size == 0:
            return EMPTY_ROOT
        parts = [root for _, root in self._full]
        if self._tile:
            parts.append(root_of(self._tile))
        root = parts.pop()
        while parts:
            root = node_hash(parts.pop(), root)
        return root
