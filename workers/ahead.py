"""Folding a batch while the one before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from opentelemetry.trace import Span

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from eventlog.reader import RowReader
from projections.batch import REFUSALS, Batch, Lockstep
from projections.decoding import decoded
from projections.fold import Entry
from projections.session import open_writing
from workers.tracing import begin_span, ending

READ_AGAIN_EVENTS = 1_000


class Writer:
    """A thread that writes batches, one after the other, over a connection of its own."""

    def __init__(self, conninfo: str) -> None:
        self._conn = open_writing(conninfo)
        self._thread = ThreadPoolExecutor(1, "writer")

    def begin(self, lockstep: Lockstep, batch: Batch, span: Span) -> Future[None]:
        """Write a batch, and end its span; what comes back tells how that ended."""
        return self._thread.submit(self._write, lockstep, batch, span)

    def close(self) -> None:
        """Wait for what was begun, however it ends."""
        self._thread.shutdown()
        self._conn.close()

    def _write(self, lockstep: Lockstep, batch: Batch, span: Span) -> None:
        with ending(span):
            lockstep.write(self._conn, batch)


class Ahead:
    """Tables in lockstep that are one batch further in memory than in the database.

    The database waits for nothing that is folded, and folding not for the database. Rows and
    position still change together: where a batch cannot be written, what was folded upon it is
    forgotten. Its events are read again then; nothing holds them while it is written.
    """

    def __init__(self, lockstep: Lockstep, writer: Writer, codec: EventCodec) -> None:
        self.lockstep = lockstep
        self._writer = writer
        self._codec = codec
        self._begun: tuple[Batch, Future[None]] | None = None

    @property
    def is_writing(self) -> bool:
        """Whether there is a batch of which nobody has asked so far how it ended."""
        return self._begun is not None

    def apply(self, conn: Connection, entries: Sequence[Entry]) -> None:
        """Fold the events that come next in the log, and begin to write them.

        Raises `LeaseLost`, and errors of the database, of the batch before as well.
        """
        span = self._begin_span(entries)
        try:
            batch = self.lockstep.fold(conn, entries, self._end)
            self._end()
        except REFUSALS:
            self._take_back(conn)
            self._apply_now(conn, entries)
        else:
            self._begun = batch, self._writer.begin(self.lockstep, batch, span)

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
            self._apply_again(conn, begun[0].reached[0].position)

    def _apply_again(self, conn: Connection, up_to: int) -> None:
        reader = RowReader(conn, self.lockstep.position)
        while self.lockstep.position < up_to:
            entries = decoded(self._codec, conn, reader.read(READ_AGAIN_EVENTS))
            if left := [entry for entry in entries if entry[0] <= up_to]:
                self._apply_now(conn, left)

    def _apply_now(self, conn: Connection, entries: Sequence[Entry]) -> None:
        with ending(self._begin_span(entries)):
            self.lockstep.apply(conn, entries)

    def _begin_span(self, entries: Sequence[Entry]) -> Span:
        return begin_span(entries, [one.table.name for one in self.lockstep.stored])
