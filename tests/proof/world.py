"""A log with a tree over it, and ways to change what must not be changed."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from struct import pack
from typing import Any
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eventsourcing.persistence import StoredEvent

from eventlog.pool import Connection, open_connection, open_pool
from eventlog.recorder import PostgresRecorder
from proof.hashing import leaf_hash
from proof.leaf import position_of
from proof.notes import Signer
from proof.tree import Leaves
from tests.patience import PATIENCE_SECONDS
from workers import notarize
from workers.notarize import Notary

PRIVATE_KEY = Ed25519PrivateKey.generate()
SIGNER = Signer("log.example/test", PRIVATE_KEY.public_key().public_bytes_raw(), PRIVATE_KEY.sign)


def write_events(url: str, number: int, seed: int = 1) -> None:
    """Events of several streams, with holes among their positions."""
    made = random.Random(seed)  # noqa: S311  # nothing secret
    with open_pool(url, 1) as pool:
        recorder = PostgresRecorder(pool)
        for first in range(0, number, 50):
            stream = UUID(int=made.getrandbits(128))
            recorder.insert_events(
                [
                    StoredEvent(stream, version, "toy.played.v1", f'{{"n":"Ω {first}"}}'.encode())
                    for version in range(1, min(50, number - first) + 1)
                ]
            )
            # A writer that failed after it had drawn its number.
            with suppress(psycopg.errors.UniqueViolation), pool.connection() as conn:
                conn.execute(
                    "insert into rollbook.events (stream_id, version, topic, state)"
                    " values (%s, 1, 'x', '{}')",
                    (stream,),
                )


def build_tree(url: str) -> None:
    """Bring the tree up to the end of the log."""
    with open_connection(url) as conn:
        notary = Notary(conn, SIGNER, checkpoint_seconds=0)
        while notary.add_batch():
            pass
        notary.sign_when_due()


def leaf_bytes(position: int, stream_id: UUID, version: int, topic: str, state: bytes) -> bytes:
    """The bytes that stand for an event, as docs/proof.md says."""
    fields = (pack(">q", position), stream_id.bytes, pack(">i", version), topic.encode(), state)
    return pack(">h", 5) + b"".join(pack(">i", len(one)) + one for one in fields)


def stored_rows(conn: psycopg.Connection[Any]) -> list[bytes]:
    """The log as leaves, by SQL of our own."""
    return [
        leaf_bytes(position, stream_id, version, topic, state.encode())
        for position, stream_id, version, topic, state in conn.execute(
            "select position, stream_id, version, topic, state::text"
            " from rollbook.events order by position"
        )
    ]


def leaves_of(rows: Sequence[bytes], pieces: Sequence[int] = ()) -> list[Leaves]:
    """The leaves of a tree over these rows, in pieces that end at the given numbers."""
    ends = sorted({*pieces, len(rows)} - {0})
    return [
        Leaves([*map(position_of, rows[a:b])], b"".join(leaf_hash(row) for row in rows[a:b]))
        for a, b in zip([0, *ends], ends, strict=False)
    ]


@contextmanager
def tampering(url: str) -> Iterator[Connection]:
    """A connection of somebody who can do everything, and keeps the log from refusing."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("alter table rollbook.events disable trigger events_append_only")
        yield conn


@contextmanager
def notarizing(url: str) -> Iterator[None]:
    """A notary in a thread of its own."""
    stop = threading.Event()
    thread = threading.Thread(target=notarize.run, args=(url, SIGNER, 0.05, (), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
