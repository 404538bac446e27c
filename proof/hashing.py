"""The hashes of a Merkle tree as RFC 9162, section 2.1, defines them.

Several hashes that follow each other are kept as one `bytes` of 32 bytes each.
"""

from __future__ import annotations

from hashlib import sha256

HASH_BYTES = 32

LEAF = b"\x00"
NODE = b"\x01"

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf that holds `data`."""
    return sha256(LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two others."""
    return sha256(NODE + left + right).digest()


def root_of(hashes: bytes) -> bytes:
    """The hash of the smallest tree over nodes of one level, of which there is one at least."""
    return levels_above(hashes)[-1]


def levels_above(hashes: bytes) -> list[bytes]:
    """The nodes of one level, of which there is one at least, and of all levels above them."""
    levels = [hashes]
    while len(levels[-1]) > HASH_BYTES:
        levels.append(_level_above(levels[-1]))
    return levels


def _level_above(hashes: bytes) -> bytes:
    pair = 2 * HASH_BYTES
    whole = len(hashes) // pair * pair
    above = [sha256(NODE + hashes[i : i + pair]).digest() for i in range(0, whole, pair)]
    # One without a neighbor goes up as it is.
    return b"".join((*above, hashes[whole:]))
