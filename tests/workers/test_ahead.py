"""Tables are a batch further in memory than in the database, and nobody can tell by their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from domain.enrollment import Enrollment
from eventlog.pool import open_connection
from eventlog.reader import RowReader
from projections import parked
from projections.batch import Lockstep, Stored
from projections.decoding import decoded
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.fold import Entry
from projections.lease import Lease, LeaseLost
from projections.names import LIVE
from projections.session import open_writing
from projections.table import ReadTable
from projections.tables import ALL_TABLES
from tests.workers.world import (
    CODEC,
    all_rows,
    published,
    tables_by_a_rebuild,
    train,
    write_side,
)
from workers.ahead import Ahead, Writer


def entries_of(url: str) -> list[Entry]:
    """What happens when e1, e2 and e3 are trained."""
    with write_side(url) as training:
        program_id = published(training, "SAFE")
        for employee in ("e1", "e2", "e3"):
            train(training, program_id, employee)
    with open_connection(url) as conn:
        return decoded(CODEC, conn, RowReader(conn).read(1000))


@contextmanager
def ahead_of(url: str, tables: Sequence[ReadTable[Any]]) -> Iterator[tuple[Any, Ahead]]:
    """Tables that nobody else writes, with the connection to read by."""
    with open_writing(url) as conn, closing(Writer(url)) as writer:
        lease = Lease(LIVE)
        taken = lease.take(conn, tables)
        stored = [Stored(conn, table, LIVE, taken[table.name]) for table in tables]
        yield conn, Ahead(Lockstep(lease, stored), writer, CODEC)


def refused_for(employee: str) -> list[ReadTable[Any]]:
    """All tables, with a listing that the database refuses once that employee makes progress."""

    def evolve(row: Any, event: Any) -> Any:
        after: Any = ENROLLMENT_LISTING.evolve(row, event)
        if isinstance(event, Enrollment.ProgressRecorded) and event.employee_id == employee:
            return msgspec.structs.replace(after, source="\0")
        return after

    listing = replace(ENROLLMENT_LISTING, evolve=evolve)
    return [listing if table is ENROLLMENT_LISTING else table for table in ALL_TABLES]


def test_the_next_batch_is_folded_while_the_database_takes_its_time(database_url: str) -> None:
    entries = entries_of(database_url)
    with (
        open_connection(database_url) as other,
        ahead_of(database_url, ALL_TABLES) as (conn, ahead),
    ):
        with other.transaction():
            other.execute("SELECT 1 FROM rollbook_read.progress FOR UPDATE")
            ahead.apply(conn, entries[:5])
            assert (ahead.lockstep.position, ahead.lockstep.reached) == (0, entries[4][0])
            ahead.lockstep.fold(conn, entries[5:])
        ahead.settle(conn)
        assert ahead.lockstep.position == entries[4][0]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_what_was_folded_upon_a_batch_that_is_refused_is_folded_anew(
    database_url: str, size: int
) -> None:
    entries, tables = entries_of(database_url), refused_for("e2")
    with ahead_of(database_url, tables) as (conn, ahead):
        for begin in range(0, len(entries), size):
            ahead.apply(conn, entries[begin : begin + size])
        ahead.settle(conn)
        live = all_rows(database_url)
        assert len(parked.keys(conn, LIVE, ENROLLMENT_LISTING.name)) == 1
    assert live == tables_by_a_rebuild(database_url, tables)


def test_who_loses_the_lease_hears_of_it_with_the_next_batch(database_url: str) -> None:
    entries = entries_of(database_url)
    with (
        open_connection(database_url) as other,
        ahead_of(database_url, ALL_TABLES) as (conn, ahead),
    ):
        other.execute("UPDATE rollbook_read.progress SET lease = NULL")
        ahead.apply(conn, entries[:5])
        with pytest.raises(LeaseLost):
            ahead.apply(conn, entries[5:])
    assert {progress.position for _, progress in all_rows(database_url)["progress"]} == {0}
