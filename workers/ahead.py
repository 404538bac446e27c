"""Folding a batch while the one before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from eventlog.pool import Connection
from projections.batch import REFUSALS, Batch, Lockstep
from projections.fold import Entry
from projections.session import open_writing
from workers.tracing import batch_span


class Writer:
    """A thread that writes batches, one after the other, over a connection of its own."""

    def __init__(self, conninfo: str) -> None:
        self._conn = open_writing(conninfo)
        self._thread = ThreadPoolExecutor(1, "writer")

    def begin(self, lockstep: Lockstep, batch: Batch) -> Future[None]:
        """Write a batch; what comes back tells how that ended."""
        return self._thread.submit(self._write, lockstep, batch)

    def close(self) -> None:
        """Wait for what was begun, however it ends."""
        self._thread.shutdown()
        self._conn.close()

    def _write(self, lockstep: Lockstep, batch: Batch) -> None:
        with batch_span(batch.entries, [one.table.name for one in lockstep.stored]):
            lockstep.write(self._conn, batch)


class Ahead:
    """Tables in lockstep that are one batch further in memory than in the database.

    The database waits for nothing that is folded, and folding not for the database. Rows and
    position still change together: where a batch cannot be written, what was folded upon it is
    forgotten.
    """

    def __init__(self, lockstep: Lockstep, writer: Writer) -> None:
        self.lockstep = lockstep
        self._writer = writer
        self._begun: tuple[Batch, Future[None]] | None = None

    @property
    def is_writing(self) -> bool:
        """Whether there is a batch of which nobody has asked so far how it ended."""
        return self._begun is not None

    def apply(self, conn: Connection, entries: Sequence[Entry]) -> None:
        """Fold the events that come next in the log, and begin to write them.

        Raises `LeaseLost`, and errors of the database, of the batch before as well.
        """
        try:
            batch = self.lockstep.fold(conn, entries, self._end)
            self._end()
        except REFUSALS:
            self._take_back(conn)
            self._apply_now(conn, entries)
        else:
            self._begun = batch, self._writer.begin(self.lockstep, batch)

    def settle(self, conn: Connection) -> None:
        """Wait until all that was folded is written. Raises as `apply` does."""
        try:
            self._end()
        except REFUSALS:
            self._take_back(conn)

    def _end(self) -> None:
        """Wait for the end of what was begun. Raises what went wrong; it may be asked again."""
        if self._begun is not None:
            self._begun[1].result()
            self._begun = None

    def _take_back(self, conn: Connection) -> None:
        """Forget what is not written; take in a batch that was refused piece by piece."""
        begun, self._begun = self._begun, None
        refused = begun is not None and begun[1].exception() is not None
        self.lockstep.take_back(conn)
        if begun is not None and refused:
            self._apply_now(conn, begun[0].entries)

    def _apply_now(self, conn: Connection, entries: Sequence[Entry]) -> None:
        with batch_span(entries, [one.table.name for one in self.lockstep.stored]):
            self.lockstep.apply(conn, entries)
