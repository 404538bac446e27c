"""The whole stored log and tree, and the checkpoints, held against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

from eventlog.pool import Connection
from proof import checkpoints
from proof.leaf import stored_leaves
from proof.live import Difference, differences
from proof.roots import Claim, Contradiction, Roots
from proof.stored_nodes import StoredNodes, WrongNode
from proof.tree import Tree, every_leaf
from proof.verify_bundle import Broken, Key, checkpoint_of, key_of, text_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the log compares with the tree, and the tree with the checkpoints.

    Attributes:
        size: how many leaves were compared.
        position: of the last of them; what comes behind is not in the tree yet.
        differing: how many events differ.
        borne_out: how many checkpoints state the root that the tree has.
        contradictions: those that do not.
        wrong_nodes: how much of what is stored beside the leaves is not as they make it.
    """

    size: int
    position: int
    differing: int
    borne_out: int
    contradictions: list[Contradiction]
    wrong_nodes: int

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not (self.differing or self.contradictions or self.wrong_nodes)


def verify(
    log: Connection,
    tree: Connection,
    outside: Path | None,
    key: str,
    on_difference: Callable[[Difference], None],
    on_wrong_node: Callable[[WrongNode], None],
) -> Verdict:
    """Compare all events up to the end of the tree; two connections, one read beside the other.

    `outside` is a file of checkpoints that was kept elsewhere, `key` the verifier key that must
    have signed those in it. Raises `Broken` for one that it has not signed, OSError.
    """
    kept = sorted(_claims_in(outside, key_of(key)) if outside else (), key=_size)
    newest = checkpoints.latest(tree)
    # After the checkpoints: both may grow meanwhile, and the tree must reach to all of them.
    end = Tree(tree)
    position = end.position_of(end.size - 1) if end.size else 0
    stored = _stored_claims(tree, newest.number if newest else 0)
    nodes = StoredNodes(tree, on_wrong_node)
    roots, differing = Roots(merge(stored, kept, key=_size), nodes.compare), 0
    rows = stored_leaves(log, "position <= %s", (position,))
    for difference in differences(rows, roots.following(every_leaf(tree, end.size))):
        differing += 1
        on_difference(difference)
    return Verdict(
        roots.size, position, differing, roots.borne_out, roots.contradictions, nodes.wrong
    )


def _size(claim: Claim) -> int:
    return claim.size


def _stored_claims(conn: Connection, newest: int) -> Iterator[Claim]:
    # Their signatures are for others. Here it is the root that counts, whoever signed it.
    for stored in checkpoints.every(conn):
        if stored.number > newest:
            return
        yield Claim(stored.size, stored.root, f"the stored checkpoint number {stored.number}")


def _claims_in(file: Path, key: Key) -> Iterator[Claim]:
    with file.open(encoding="utf-8") as lines:
        for number, note in enumerate(_notes(lines), start=1):
            found = f"checkpoint {number} of {file}"
            try:
                checkpoint = checkpoint_of(text_of(note, key))
            except Broken as problem:
                raise Broken(f"{found}: {problem}") from None
            yield Claim(checkpoint.size, checkpoint.root, found)


def _notes(lines: Iterable[str]) -> Iterator[str]:
    """The notes of a file, which are text, an empty line and signatures, and an empty line."""
    parts: list[str] = []
    blanks = 0
    for line in lines:
        if line != "\n":
            parts.append(line)
            continue
        blanks += 1
        if blanks % 2 == 0:
            yield "".join(parts)
            parts = []
        else:
            parts.append(line)
    if parts:
        yield "".join(parts)
