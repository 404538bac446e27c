"""Applying a batch of events to read tables: rows, summaries and progress in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from eventlog.pool import Connection
from projections import parked, repairs
from projections.event_rows import EventRows
from projections.fold import Entry, Folded, Held, Sorted, Stops, fold, fold_each
from projections.fold_history import Courses, fold_history
from projections.history import History
from projections.lease import Lease
from projections.names import CHANNEL, LIVE
from projections.progress import Progress, Run
from projections.rows import Rows
from projections.sorting import Sorting
from projections.stay_rows import StayRows
from projections.table import EventTable, ReadTable
from projections.writing import Writing

REFUSALS = (psycopg.DataError, psycopg.IntegrityError, TypeError, ValueError, ArithmeticError)
"""What says that rows cannot be stored as they are, rather than that the database is away."""

_NOTIFY = f"NOTIFY {CHANNEL}".encode()


def _settled() -> None:
    """Wait for nothing: all that was folded is written."""


class Stored:
    """One read table of a schema, which this process alone writes.

    Attributes:
        progress: how far it is in the database.
        reached: how far it is in memory, where the rows of a batch may wait to be written.
    """

    def __init__(
        self, conn: Connection, table: ReadTable[Any], schema: str, progress: Progress
    ) -> None:
        self.table = table
        self.schema = schema
        self.progress = progress
        self.take_back(conn)

    def take_back(self, conn: Connection) -> None:
        """Forget all that is not in the database."""
        self.reached = self.progress
        self.rows = _rows(self.table, self.schema)
        self.stops = Stops(
            parked.keys(conn, self.schema, self.table.name), repairs.skipped(conn, self.table.name)
        )

    def fold(
        self,
        conn: Connection,
        batch: Sorted,
        settle: Callable[[], None] = _settled,
        courses: Courses = (),
    ) -> Folded:
        """Return what a batch does to it; `settle` waits until the one before is written.

        The `courses` are those of the table that it follows, if the same events concern that.
        """
        rows = self.rows.load(conn, batch.by_key, settle)
        if isinstance(self.table, EventTable):
            folded = fold_each(self.table, batch, self.stops)
        elif isinstance(self.table, History):
            folded = fold_history(self.table, batch, rows, self.stops, courses)
        else:
            folded = fold(self.table, batch, rows, self.stops, adds_up=self.progress.adds_up)
        self.rows.remember(folded.rows)
        return folded

    def note_filled(self) -> None:
        """Add to its summaries with every event from now on, as they are there."""
        self.progress = replace(self.progress, filled=True, adds_up=True)
        self.reached = replace(self.reached, filled=True, adds_up=True)

    def park(self, conn: Connection, held: Sequence[Held]) -> None:
        """Park the events that a batch could not apply."""
        if held:
            parked.park(conn, self.schema, self.table.name, held)


def _rows(table: ReadTable[Any], schema: str) -> Rows | StayRows | EventRows:
    if isinstance(table, EventTable):
        return EventRows(table, schema)
    return StayRows(table, schema) if isinstance(table, History) else Rows(table, schema)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be written of some events: for each table, how far that brings it, and what.

    Attributes:
        held: the events that the table could not take.
    """

    reached: Sequence[Progress]
    writings: Sequence[Writing]
    held: Sequence[Sequence[Held]]


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
        """The position that all of the tables have reached in the database."""
        return self.stored[0].progress.position

    @property
    def reached(self) -> int:
        """The position that they have reached in memory."""
        return self.stored[0].reached.position

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

    def fold(
        self,
        conn: Connection,
        entries: Sequence[Entry],
        settle: Callable[[], None] = _settled,
        refusing: Collection[str] = (),
        error: Exception | None = None,
    ) -> Batch:
        """Return what the events that come next lead to, to be written in this order.

        The batch before may be on its way to the database; `settle` waits for it. Tables that
        are `refusing` hold all of the events, because of `error`.
        """
        run = Run.of([position for position, _ in entries])
        # The rows are loaded ahead of the transaction: as long as the lease is held, and the
        # transaction proves that it is, nobody else can have written them since.
        writings, held = [], []
        batches = self._sorting.sort(entries, [one.stops for one in self.stored])
        courses: dict[tuple[ReadTable[Any], int], Courses] = {}
        for one, batch in zip(self.stored, batches, strict=True):
            if error is not None and one.table.name in refusing:
                batch.hold_all(one.table, error, one.stops)
            followed = one.table.of if isinstance(one.table, History) else one.table
            same = followed, id(batch.by_key)
            folded = one.fold(conn, batch, settle, courses.get(same, ()))
            courses[same] = folded.courses
            one.reached = one.reached.after(run)
            writings.append(one.rows.writing(conn, folded))
            held.append(folded.held)
        return Batch([one.reached for one in self.stored], writings, held)

    def write(self, conn: Connection, batch: Batch) -> None:
        """Write a batch that was folded, and commit. Raises `LeaseLost`."""
        names = [one.table.name for one in self.stored]
        with conn.transaction():
            self._lease.advance(conn, dict(zip(names, batch.reached, strict=True)))
            for writing in batch.writings:
                writing.copy(conn)
            with conn.pipeline():
                for writing in batch.writings:
                    writing.execute(conn)
                for one, held in zip(self.stored, batch.held, strict=True):
                    one.park(conn, held)
                if any(one.schema == LIVE for one in self.stored):
                    conn.execute(_NOTIFY)
        for one, reached, held in zip(self.stored, batch.reached, batch.held, strict=True):
            one.progress = reached
            parked.log(one.table.name, held)

    def take_back(self, conn: Connection) -> None:
        """Forget all that was folded and is not written."""
        for one in self.stored:
            one.take_back(conn)

    def _apply(
        self,
        conn: Connection,
        entries: Sequence[Entry],
        refusing: Collection[str] = (),
        error: Exception | None = None,
    ) -> None:
        try:
            self.write(conn, self.fold(conn, entries, _settled, refusing, error))
        except REFUSALS:
            self.take_back(conn)
            raise

    def _apply_without(self, conn: Connection, entries: Sequence[Entry], error: Exception) -> None:
        """Park the only entry for the one table that is at fault, or else for all."""
        everywhere = {one.table.name for one in self.stored}
        for refusing in (*({name} for name in everywhere), everywhere):
            with suppress(*REFUSALS):
                return self._apply(conn, entries, refusing, error)
        raise error
