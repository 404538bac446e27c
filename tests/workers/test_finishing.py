"""Tables that are far behind are filled, and get summaries and indexes when they have caught up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Event as Signal
from typing import Any

import msgspec
import pytest

from domain.enrollment import Enrollment
from eventlog.pool import Connection, open_as_login, open_connection
from eventlog.reader import RowReader
from projections import parked, progress
from projections.audit_trail import AUDIT_TRAIL
from projections.batch import Lockstep, Stored
from projections.decoding import decoded
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.filling import finish_filling
from projections.lease import Lease, LeaseLost
from projections.names import LIVE
from projections.program_listing import PROGRAM_LISTING
from projections.session import open_patient
from projections.store import create_tables, last_position, unfinished
from projections.table import ReadTable
from projections.tables import ALL_TABLES
from tests.patience import eventually
from tests.workers.world import (
    CODEC,
    all_rows,
    projecting,
    projector,
    published,
    tables_by_a_rebuild,
    train,
    write_side,
)
from workers.finishing import AT_ONCE
from workers.rebuild import rebuild
from workers.verify import UnfilledError, verify

EMPLOYEES = 30
EVERY = {table.name for table in ALL_TABLES}
COUNTS = "enrollment_counts"


@pytest.fixture
def long_log(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with a log that counts as long, and tables that were made when it was."""
    far_behind(monkeypatch, EMPLOYEES)
    with write_side(database_url) as training:
        program_id = published(training, "SAFE")
        for number in range(EMPLOYEES):
            train(training, program_id, f"e{number}")
    with open_as_login(database_url) as conn:
        conn.execute("DROP SCHEMA rollbook_read CASCADE")
    with open_connection(database_url) as conn:
        create_tables(conn, ALL_TABLES)
    return database_url


def far_behind(monkeypatch: pytest.MonkeyPatch, events: int) -> None:
    """Let a table that is further behind than this wait for its indexes."""
    for module in ("projections.store", "workers.lanes"):
        monkeypatch.setattr(f"{module}.CLOSE_EVENTS", events)


def left(url: str) -> set[str]:
    with open_connection(url) as conn:
        return unfinished(conn, ALL_TABLES)


def is_caught_up(url: str) -> bool:
    with open_connection(url) as conn:
        reached = progress.read(conn).values()
        return min(one.position for one in reached) == last_position(conn)


def test_tables_are_finished_when_they_have_caught_up(long_log: str) -> None:
    assert left(long_log) == EVERY
    with projecting(long_log):
        eventually(lambda: not left(long_log))
        eventually(lambda: is_caught_up(long_log))
    assert all_rows(long_log) == tables_by_a_rebuild(long_log)


def test_nothing_is_added_up_until_then(long_log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as never_close:
        never_close.setattr("workers.lanes.CLOSE_EVENTS", -1)
        with projecting(long_log):
            eventually(lambda: is_caught_up(long_log))
    rows = all_rows(long_log)
    assert rows[ENROLLMENT_LISTING.name]
    assert not any(rows[sums.name] for table in ALL_TABLES for sums in table.stored_summaries)
    with pytest.raises(UnfilledError, match=ENROLLMENT_LISTING.name):
        verify(long_log, CODEC, [ENROLLMENT_LISTING], Signal())


def test_a_table_that_is_still_filled_is_rebuilt_without_being_compared(long_log: str) -> None:
    done = rebuild(long_log, CODEC, ALL_TABLES, Signal())
    assert (done.verdicts, left(long_log)) == ((), set())
    assert all_rows(long_log) == tables_by_a_rebuild(long_log)


def fold_some(url: str, table: ReadTable[Any], events: int) -> None:
    """Let a table take in the first events, and go."""
    lease = Lease(LIVE)
    with open_connection(url) as conn, open_connection(url) as reading:
        taken = lease.take(conn, [table])
        lockstep = Lockstep(lease, [Stored(conn, table, LIVE, *taken.values())])
        lockstep.apply(conn, decoded(CODEC, conn, RowReader(reading).read(events)))
        lease.give_back(conn)


@pytest.mark.parametrize("ahead", [(), (ENROLLMENT_LISTING,), (AUDIT_TRAIL, PROGRAM_LISTING)])
def test_tables_at_different_positions_are_finished_before_they_join_finished_ones(
    long_log: str, ahead: Sequence[ReadTable[Any]]
) -> None:
    rest = [table for table in ALL_TABLES if table is not ENROLLMENT_LISTING]
    for table in ahead:
        fold_some(long_log, table, events=EMPLOYEES)
    with projecting(long_log, rest):
        eventually(lambda: left(long_log) == {ENROLLMENT_LISTING.name})
        eventually(lambda: ended(long_log, rest))
    with projecting(long_log):
        eventually(lambda: not left(long_log))
        eventually(lambda: is_caught_up(long_log))
    assert all_rows(long_log) == tables_by_a_rebuild(long_log)


def ended(url: str, tables: Sequence[ReadTable[Any]]) -> bool:
    with open_connection(url) as conn:
        reached = progress.read(conn)
        return min(reached[one.name].position for one in tables) == last_position(conn)


def test_nobody_reads_a_table_before_its_indexes_are_there(long_log: str) -> None:
    with open_connection(long_log) as conn, conn.transaction():
        conn.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        conn.execute("LOCK TABLE rollbook_read.enrollment_listing IN ROW EXCLUSIVE MODE")
        with projector(long_log), open_connection(long_log) as other:
            eventually(lambda: waits(long_log, "enrollment_listing", "ShareLock") == AT_ONCE)
            assert not progress.read(other)[ENROLLMENT_LISTING.name].filled


def test_who_loses_a_table_while_it_adds_up_stores_nothing(long_log: str) -> None:
    lease, next_one = Lease(LIVE), Lease(LIVE)
    with open_connection(long_log) as conn, open_connection(long_log) as other:
        taken = lease.take(conn, [ENROLLMENT_LISTING])
        lockstep = Lockstep(lease, [Stored(conn, ENROLLMENT_LISTING, LIVE, *taken.values())])
        lockstep.apply(conn, decoded(CODEC, conn, RowReader(other).read(1_000)))
        other.execute("UPDATE rollbook_read.progress SET leased_until = '-infinity'")
        next_one.take(other, [ENROLLMENT_LISTING])
        with pytest.raises(LeaseLost):
            finish_filling(conn, lease, ENROLLMENT_LISTING, LIVE, adds_up=False)
        assert not all_rows(long_log)[COUNTS]
        finish_filling(other, next_one, ENROLLMENT_LISTING, LIVE, adds_up=False)
        assert all_rows(long_log)[COUNTS]


def test_what_a_projector_that_is_killed_adding_up_has_not_stored_is_stored_by_the_next(
    long_log: str,
) -> None:
    with open_connection(long_log) as conn, conn.transaction():
        conn.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        conn.execute("LOCK TABLE rollbook_read.enrollment_counts IN SHARE MODE")
        with projector(long_log):
            eventually(lambda: waits(long_log, COUNTS, "RowExclusiveLock") == 1)
            # It is killed on leaving.
        assert ENROLLMENT_LISTING.name in left(long_log)
    with projector(long_log):
        eventually(lambda: not left(long_log))
        eventually(lambda: is_caught_up(long_log))
    assert all_rows(long_log) == tables_by_a_rebuild(long_log)


def with_a_score_beyond_all_numbers(row: Any, event: Any) -> Any:
    after: Any = ENROLLMENT_LISTING.evolve(row, event)
    if isinstance(event, Enrollment.Completed) and after.employee_id == "e2":
        return msgspec.structs.replace(after, score_percent=1e300)
    return after


def test_what_cannot_be_added_up_parks_its_event_and_nothing_else(long_log: str) -> None:
    listing = replace(ENROLLMENT_LISTING, evolve=with_a_score_beyond_all_numbers)
    tables = [listing if table is ENROLLMENT_LISTING else table for table in ALL_TABLES]
    with projecting(long_log, tables):
        eventually(lambda: not left(long_log))
        eventually(lambda: is_caught_up(long_log))
    with open_connection(long_log) as conn:
        assert len(parked.keys(conn, LIVE, listing.name)) == 1
    assert all_rows(long_log) == tables_by_a_rebuild(long_log, tables)
    verdicts = verify(long_log, CODEC, tables, Signal())
    assert all(verdict.holds for verdict in verdicts)


def test_tables_go_on_while_what_is_in_them_is_counted(
    long_log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long the test takes, the counting waits.
    monkeypatch.setattr("workers.finishing.open_patient", open_more_patient)
    with open_connection(long_log) as conn, conn.transaction():
        conn.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        # It has no indexes to be made, and is written to, but not counted.
        conn.execute("LOCK TABLE rollbook_read.enrollment_counts IN SHARE UPDATE EXCLUSIVE MODE")
        with projecting(long_log):
            eventually(lambda: waits(long_log, COUNTS, "ShareUpdateExclusiveLock") == 1)
            assert not left(long_log)
            eventually(lambda: is_caught_up(long_log))
            with write_side(long_log) as training:
                train(training, published(training, "MORE"), "e0")
            eventually(lambda: is_caught_up(long_log))
            assert waits(long_log, COUNTS, "ShareUpdateExclusiveLock") == 1
    assert all_rows(long_log) == tables_by_a_rebuild(long_log)


def open_more_patient(conninfo: str) -> Connection:
    conn = open_patient(conninfo)
    conn.execute("SET lock_timeout = 0")
    return conn


def test_tables_of_an_earlier_version_are_filled(database_url: str) -> None:
    with open_as_login(database_url) as conn:
        for name in ("built", "filled", "adds_up"):
            conn.execute(f"ALTER TABLE rollbook_read.progress DROP COLUMN {name}".encode())
    with open_connection(database_url) as conn:
        create_tables(conn, ALL_TABLES)
        assert all(one.filled and one.adds_up for one in progress.read(conn).values())
    assert not left(database_url)


def test_what_a_projector_that_died_left_unfinished_gets_them_from_the_next(
    long_log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as never_close:
        never_close.setattr("workers.lanes.CLOSE_EVENTS", -1)
        with projecting(long_log):
            eventually(lambda: is_caught_up(long_log))
    assert left(long_log) == EVERY
    with projecting(long_log):
        eventually(lambda: not left(long_log))


def test_a_migration_leaves_a_table_alone_while_it_is_filled(long_log: str) -> None:
    with open_connection(long_log) as conn:
        create_tables(conn, ALL_TABLES)
    assert left(long_log) == EVERY


def test_a_migration_makes_what_is_declared_otherwise_and_drops_what_was(database_url: str) -> None:
    kept, changed, *rest = ENROLLMENT_LISTING.indexes
    query = "SELECT indexdef FROM pg_indexes WHERE schemaname = %s AND tablename = %s"
    with open_connection(database_url) as conn:

        def indexes_of(table: ReadTable[Any]) -> set[str]:
            create_tables(conn, [table])
            assert not unfinished(conn, [table])
            return {sql for (sql,) in conn.execute(query, (LIVE, table.name))}

        before = indexes_of(ENROLLMENT_LISTING)
        after = indexes_of(replace(ENROLLMENT_LISTING, indexes=(kept, "(grade)", *rest)))
        assert unfinished(conn, [ENROLLMENT_LISTING]) == {ENROLLMENT_LISTING.name}
        [gone], [new] = before - after, after - before
    assert changed.partition(" INCLUDE")[0] in gone
    assert "(grade)" in new


def test_tables_of_a_short_log_have_their_indexes_from_the_beginning(database_url: str) -> None:
    assert not left(database_url)


def test_what_a_projector_that_is_killed_making_indexes_has_not_made_is_made_by_the_next(
    long_log: str,
) -> None:
    with open_connection(long_log) as conn, conn.transaction():
        conn.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        conn.execute("LOCK TABLE rollbook_read.enrollment_listing IN ROW EXCLUSIVE MODE")
        with projector(long_log):
            eventually(lambda: waits(long_log, "enrollment_listing", "ShareLock") == AT_ONCE)
            # It is killed on leaving.
        due = left(long_log)
    assert "enrollment_listing" in due
    with projector(long_log):
        eventually(lambda: not left(long_log))
        eventually(lambda: is_caught_up(long_log))
    assert all_rows(long_log) == tables_by_a_rebuild(long_log)


def waits(url: str, table: str, mode: str) -> int:
    """How many wait for such a lock of the table."""
    query = (
        "SELECT count(*) FROM pg_locks WHERE mode = %s AND NOT granted AND relation = %s::regclass"
    )
    with open_connection(url) as conn:
        [(count,)] = conn.execute(query, (mode, f"rollbook_read.{table}")).fetchall()
        return int(count)
