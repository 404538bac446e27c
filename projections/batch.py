"""Applying a batch of events to read tables: rows, summaries and progress in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from eventlog.pool import Connection
from projections import parked, repairs
from projections.copied_rows import CopiedRows
from projections.fold import Entry, Folded, Sorted, Sorting, Stops, fold
from projections.fold_history import fold_history
from projections.history import History
from projections.lease import Lease
from projections.names import CHANNEL, LIVE
from projections.progress import Progress, Run
from projections.rows import Rows
from projections.stay_rows import StayRows
from projections.table import CopiedTable, ReadTable

REFUSALS = (psycopg.DataError, psycopg.IntegrityError, TypeError, ValueError, ArithmeticError)
"""What says that rows cannot be stored as they are, rather than that the database is away."""

_NOTIFY = f"NOTIFY {CHANNEL}".encode()


class Stored:
    """One read table of a schema, which this process alone writes."""

    def __init__(
        self, conn: Connection, table: ReadTable[Any], schema: str, progress: Progress
    ) -> None:
        self.table = table
        self.schema = schema
        self.progress = progress
        self.rows = _rows(table, schema)
        self.stops = Stops(parked.keys(conn, schema, table.name), repairs.skipped(conn, table.name))

    def fold(self, conn: Connection, batch: Sorted) -> Folded:
        """Return what a batch does to it."""
        rows = self.rows.load(conn, batch.by_key)
        if isinstance(self.table, History):
            return fold_history(self.table, batch, rows, self.stops)
        return fold(self.table, batch, rows, self.stops)

    def park(self, conn: Connection, folded: Folded) -> None:
        """Park the events that a batch could not apply."""
        if folded.held:
            parked.park(conn, self.schema, self.table.name, folded.held)

    def written(self, folded: Folded, progress: Progress) -> None:
        """Take note that `folded` was committed."""
        self.progress = progress
        self.rows.remember(folded.rows)
        parked.log(self.table.name, folded.held)


def _rows(table: ReadTable[Any], schema: str) -> Rows | StayRows | CopiedRows:
    if isinstance(table, CopiedTable):
        return CopiedRows(table, schema)
    return StayRows(table, schema) if isinstance(table, History) else Rows(table, schema)


class Lockstep:
    """Read tables that are at one position and take in the same batches.

    After an error nobody knows what was stored: make a new one from what is.
    """

    def __init__(self, lease: Lease, stored: Sequence[Stored]) -> None:
        self._lease = lease
        self.stored = tuple(stored)
        self._sorting = Sorting([one.table for one in self.stored])

    @property
    def position(self) -> int:
        """The position that all of the tables have reached."""
        return self.stored[0].progress.position

    def apply(self, conn: Connection, entries: Sequence[Entry]) -> None:
        """Apply the events that come next in the log, and commit. Raises `LeaseLost`.

        Where the database refuses what they lead to, the one event that is at fault is
        found by halving and parked, and the others are applied.
        """
        try:
            self._apply(conn, entries)
        except REFUSALS as error:
            half = len(entries) // 2
            if half:
                self.apply(conn, entries[:half])
                self.apply(conn, entries[half:])
            else:
                self._apply_without(conn, entries, error)

    def _apply_without(self, conn: Connection, entries: Sequence[Entry], error: Exception) -> None:
        """Park the only entry for the one table that is at fault, or else for all."""
        everywhere = {one.table.name for one in self.stored}
        for refusing in (*({name} for name in everywhere), everywhere):
            with suppress(*REFUSALS):
                return self._apply(conn, entries, refusing, error)
        raise error

    def _apply(
        self,
        conn: Connection,
        entries: Sequence[Entry],
        refusing: Collection[str] = (),
        error: Exception | None = None,
    ) -> None:
        run = Run.of([position for position, _ in entries])
        reached = [one.progress.after(run) for one in self.stored]
        stopped_before = [one.stops.keys.copy() for one in self.stored]
        try:
            folded = self._fold(conn, entries, refusing, error)
            self._write(conn, folded, reached)
        except Exception:
            for one, keys in zip(self.stored, stopped_before, strict=True):
                one.stops.keys = keys
            raise
        for one, changes, progress in zip(self.stored, folded, reached, strict=True):
            one.written(changes, progress)

    def _fold(
        self,
        conn: Connection,
        entries: Sequence[Entry],
        refusing: Collection[str],
        error: Exception | None,
    ) -> list[Folded]:
        # The rows are loaded ahead of the transaction: as long as the lease is held, and the
        # transaction proves that it is, nobody else can have written them since.
        folded = []
        batches = self._sorting.sort(entries, [one.stops for one in self.stored])
        for one, batch in zip(self.stored, batches, strict=True):
            if error is not None and one.table.name in refusing:
                batch.hold_all(error, one.stops)
            folded.append(one.fold(conn, batch))
        return folded

    def _write(
        self, conn: Connection, folded: Sequence[Folded], reached: Sequence[Progress]
    ) -> None:
        names = [one.table.name for one in self.stored]
        writings = [
            one.rows.writing(changes) for one, changes in zip(self.stored, folded, strict=True)
        ]
        with conn.transaction():
            self._lease.advance(conn, dict(zip(names, reached, strict=True)))
            for writing in writings:
                writing.copy(conn)
            with conn.pipeline():
                for writing in writings:
                    writing.execute(conn)
                for one, changes in zip(self.stored, folded, strict=True):
                    one.park(conn, changes)
                if any(one.schema == LIVE for one in self.stored):
                    conn.execute(_NOTIFY)
