"""Writes bundles: events with all that is needed to check them, for `verify_bundle`.

A line of JSON for the head, one for each event with its own proof, and one for the end, in which
the log signs how many events there are and the digest of all lines before.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

import msgspec

from proof.checkpoints import StoredCheckpoint
from proof.hashing import leaf_hash
from proof.leaf import leaf_of
from proof.notes import Signer
from proof.tree import NoSuchLeaf, Tree
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


def bundle(
    tree: Tree,
    checkpoint: StoredCheckpoint,
    signer: Signer,
    subject: Mapping[str, object],
    rows: Iterable[bytes],
) -> Iterator[bytes]:
    """The lines of a bundle of the events whose bytes are given in order of position.

    Raises `EventIsNotProven` for an event that is not in the tree of the checkpoint.
    """
    digest, number = sha256(), 0
    head = {
        "format": FORMAT,
        "subject": subject,
        "checkpoint": checkpoint.note,
        "key": checkpoint.key,
    }
    for line in _lines(head, tree, checkpoint.size, rows):
        digest.update(line)
        yield line
        number += 1
    end = signer.note((END, str(number - 1), b64encode(digest.digest()).decode()))
    yield _line({"end": end})


def _lines(
    head: Mapping[str, object], tree: Tree, size: int, rows: Iterable[bytes]
) -> Iterator[bytes]:
    yield _line(head)
    for number, row in enumerate(rows, start=1):
        event = leaf_of(row)
        try:
            proof = tree.inclusion(event.position, size)
        except NoSuchLeaf:
            raise EventIsNotProven(event.position) from None
        if proof.leaf_hash != leaf_hash(row):
            raise EventIsNotProven(event.position)
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
