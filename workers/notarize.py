"""The notary: keeps the Merkle tree up with the log, and signs checkpoints of it.

What holds, whatever dies: the tree is that of the log's first events, in order. It begins where
the stored tree ends, adds a batch of leaves in one transaction, and remembers nothing elsewhere.
Several notaries may run; of two that add the same leaves the database takes one, and the other
goes on from there (see `proof.growth`).
"""

from __future__ import annotations

import logging
from contextlib import ExitStack, closing
from threading import Event as Signal
from time import monotonic

import psycopg
from eventsourcing.persistence import PersistenceError

from eventlog.pool import Connection, open_connection
from eventlog.reader import SettledReader
from eventlog.wakeup import Ear
from proof import checkpoints
from proof.growth import TreeHasGrown, add_leaves, edge_of
from proof.hashing import leaf_hash
from proof.leaf import next_leaves, position_of
from proof.notes import Signer
from workers.checkpoint_delivery import Destination, delivering
from workers.heartbeat import Heartbeat
from workers.retry import Retry

BATCH_EVENTS = 8_192
POLL_SECONDS = 0.5

logger = logging.getLogger(__name__)


def run(
    conninfo: str,
    signer: Signer,
    checkpoint_seconds: float,
    destinations: tuple[Destination, ...],
    stop: Signal,
) -> None:
    """Keep the tree up until `stop` is set; a database that goes away is waited for.

    A checkpoint is signed every `checkpoint_seconds` when there are new events, and brought to
    all `destinations`.
    """
    retry, heartbeat = Retry(stop), Heartbeat("notary")
    with ExitStack() as stack:
        ear = stack.enter_context(closing(Ear(conninfo)))
        for destination in destinations:
            stack.enter_context(delivering(conninfo, destination, stop))
        while not stop.is_set():
            try:
                with open_connection(conninfo) as conn:
                    notary = Notary(conn, signer, checkpoint_seconds)
                    while not stop.is_set():
                        has_more = notary.add_batch()
                        notary.sign_when_due()
                        retry.succeeded()
                        heartbeat.beat(conn, notary.position)
                        if not has_more:
                            ear.wait(POLL_SECONDS)
            except TreeHasGrown:
                logger.info("another notary has added leaves; going on from there")
            except (psycopg.Error, PersistenceError) as error:
                logger.warning("cannot add, next try in %.1f s: %s", retry.pause_seconds, error)
                ear.close()  # It would not notice a server that says nothing any more.
                retry.wait()


class Notary:
    """Adds leaves from where the tree ends, until the first error; then make a new one."""

    def __init__(self, conn: Connection, signer: Signer, checkpoint_seconds: float) -> None:
        """Find out where the tree ends. Raises psycopg.Error."""
        self._conn = conn
        self._signer = signer
        self._checkpoint_seconds = checkpoint_seconds
        self._edge = edge_of(conn)
        self._reader = SettledReader(conn, self._edge.position, next_leaves, position_of)
        latest = checkpoints.latest(conn)
        self._signed_size = latest.size if latest else 0
        self._next_checkpoint = monotonic()

    @property
    def position(self) -> int:
        """The position of the last event in the tree."""
        return self._edge.position

    def add_batch(self) -> bool:
        """Add the leaves that follow, at most a batch; return whether there may be more.

        Raises `TreeHasGrown`.
        """
        leaves = self._reader.read(BATCH_EVENTS)
        if leaves:
            positions, hashes = [*map(position_of, leaves)], [*map(leaf_hash, leaves)]
            self._edge = add_leaves(self._conn, self._edge, positions, hashes)
        return bool(leaves) or self._reader.waiting

    def sign_when_due(self) -> None:
        """Sign a checkpoint when there are new events and it is time again."""
        now = monotonic()
        if self._edge.size <= self._signed_size or now < self._next_checkpoint:
            return
        self._next_checkpoint = now + self._checkpoint_seconds
        try:
            self._signed_size = checkpoints.issue(self._conn, self._signer).size
        except checkpoints.TreeWasChanged as changed:
            logger.error("%s", changed)  # noqa: TRY400  # it says all there is to say
