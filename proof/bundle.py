"""Writes bundles: events with all that is needed to check them, for `verify_bundle`.

A line of JSON for the head, one for each event with its own proof, and one for the end, in which
the log signs how many events there are and the digest of all lines before.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from proof.checkpoints import StoredCheckpoint
from proof.hashing import leaf_hash
from proof.leaf import Leaf, leaf_of
from proof.notes import Signer
from proof.tree import Inclusion, NoSuchLeaf, Tree
from proof.verify_bundle import END, FORMAT


class EventIsNotProven(Exception):
    """The log holds an event that the tree does not, or holds it otherwise than the tree.

    Attributes:
        position: of the event.
    """

    def __init__(self, position: int) -> None:
        super().__init__(
            f"The event at position {position} is not as the tree has it."
            " Run `rollbook audit verify --live`."
        )
        self.position = position


@dataclass(frozen=True, slots=True)
class Proven:
    """An event with the proof that it is in the tree."""

    event: Leaf
    proof: Inclusion


def proven(tree: Tree, size: int, rows: Iterable[bytes]) -> Iterator[Proven]:
    """The events of these bytes, each proven to be among the first `size` of the tree.

    Raises `EventIsNotProven` for one that is not there as it is here.
    """
    for row in rows:
        event = leaf_of(row)
        try:
            proof = tree.inclusion(event.position, size)
        except NoSuchLeaf:
            raise EventIsNotProven(event.position) from None
        if proof.leaf_hash != leaf_hash(row):
            raise EventIsNotProven(event.position)
        yield Proven(event, proof)


def bundle(
    checkpoint: StoredCheckpoint,
    signer: Signer,
    subject: Mapping[str, object],
    entries: Iterable[Proven],
) -> Iterator[bytes]:
    """The lines of a bundle of events in order of position, proven for the checkpoint's size."""
    digest, number = sha256(), 0
    head = {
        "format": FORMAT,
        "subject": subject,
        "checkpoint": checkpoint.note,
        "key": checkpoint.key,
    }
    for line in _lines(head, entries):
        digest.update(line)
        yield line
        number += 1
    end = signer.note((END, str(number - 1), b64encode(digest.digest()).decode()))
    yield _line({"end": end})


def _lines(head: Mapping[str, object], entries: Iterable[Proven]) -> Iterator[bytes]:
    yield _line(head)
    for number, entry in enumerate(entries, start=1):
        event, proof = entry.event, entry.proof
        yield _line(
            {
                "number": number,
                "leaf": proof.index,
                "position": event.position,
                "stream_id": event.stream_id,
                "version": event.version,
                "topic": event.topic,
                "state": event.state,
                "proof": [b64encode(one).decode() for one in proof.path],
            }
        )


def _line(content: object) -> bytes:
    return msgspec.json.encode(content) + b"\n"
