"""Tables that are far behind are filled without indexes, and get them when they have caught up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eventlog.pool import Connection, open_as_login, open_connection
from projections import progress
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.names import LIVE
from projections.session import open_patient
from projections.store import create_tables, last_position, without_indexes
from projections.table import ReadTable
from projections.tables import ALL_TABLES
from tests.patience import eventually
from tests.workers.world import (
    all_rows,
    projecting,
    projector,
    published,
    tables_by_a_rebuild,
    train,
    write_side,
)
from workers.indexing import AT_ONCE

EMPLOYEES = 30
INDEXED = {table.name for table in ALL_TABLES if table.indexes}


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


def bare(url: str) -> set[str]:
    with open_connection(url) as conn:
        return without_indexes(conn, ALL_TABLES)


def is_caught_up(url: str) -> bool:
    with open_connection(url) as conn:
        reached = progress.read(conn).values()
        return min(one.position for one in reached) == last_position(conn)


def test_indexes_are_made_when_the_tables_have_caught_up(long_log: str) -> None:
    assert bare(long_log) == INDEXED
    with projecting(long_log):
        eventually(lambda: not bare(long_log))
        eventually(lambda: is_caught_up(long_log))
    assert all_rows(long_log) == tables_by_a_rebuild(long_log)


def test_indexes_in_the_order_of_the_log_are_kept_up_from_the_beginning(long_log: str) -> None:
    growing = {table.name: table.growing_indexes for table in ALL_TABLES if table.growing_indexes}
    assert growing
    assert all({*table.growing_indexes} <= {*table.indexes} for table in ALL_TABLES)
    query = (
        "SELECT tablename::text, count(*) FROM pg_indexes"
        " WHERE schemaname = %s AND indexname NOT LIKE '%%_pkey' GROUP BY tablename"
    )
    with open_connection(long_log) as conn:
        there: dict[str, int] = dict(conn.execute(query, (LIVE,)))
    assert there == {name: len(indexes) for name, indexes in growing.items()}


def test_tables_go_on_while_what_is_in_them_is_counted(
    long_log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long the test takes, the counting waits.
    monkeypatch.setattr("workers.indexing.open_patient", open_more_patient)
    with open_connection(long_log) as conn, conn.transaction():
        conn.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        # It has no indexes to be made, and is written to, but not counted.
        conn.execute("LOCK TABLE rollbook_read.enrollment_counts IN SHARE UPDATE EXCLUSIVE MODE")
        with projecting(long_log):
            eventually(
                lambda: waits(long_log, "enrollment_counts", "ShareUpdateExclusiveLock") == 1
            )
            assert not bare(long_log)
            eventually(lambda: is_caught_up(long_log))
            with write_side(long_log) as training:
                train(training, published(training, "MORE"), "e0")
            eventually(lambda: is_caught_up(long_log))
            assert waits(long_log, "enrollment_counts", "ShareUpdateExclusiveLock") == 1
    assert all_rows(long_log) == tables_by_a_rebuild(long_log)


def open_more_patient(conninfo: str) -> Connection:
    conn = open_patient(conninfo)
    conn.execute("SET lock_timeout = 0")
    return conn


def test_what_a_projector_that_died_left_without_indexes_gets_them_from_the_next(
    long_log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as never_close:
        never_close.setattr("workers.lanes.CLOSE_EVENTS", -1)
        with projecting(long_log):
            eventually(lambda: is_caught_up(long_log))
    assert bare(long_log) == INDEXED
    with projecting(long_log):
        eventually(lambda: not bare(long_log))


def test_a_migration_leaves_a_table_alone_while_it_is_filled(long_log: str) -> None:
    with open_connection(long_log) as conn:
        create_tables(conn, ALL_TABLES)
    assert bare(long_log) == INDEXED


def test_a_migration_makes_what_is_declared_otherwise_and_drops_what_was(database_url: str) -> None:
    kept, changed, *rest = ENROLLMENT_LISTING.indexes
    query = "SELECT indexdef FROM pg_indexes WHERE schemaname = %s AND tablename = %s"
    with open_connection(database_url) as conn:

        def indexes_of(table: ReadTable[Any]) -> set[str]:
            create_tables(conn, [table])
            assert not without_indexes(conn, [table])
            return {sql for (sql,) in conn.execute(query, (LIVE, table.name))}

        before = indexes_of(ENROLLMENT_LISTING)
        after = indexes_of(replace(ENROLLMENT_LISTING, indexes=(kept, "(grade)", *rest)))
        assert without_indexes(conn, [ENROLLMENT_LISTING]) == {ENROLLMENT_LISTING.name}
        [gone], [new] = before - after, after - before
    assert changed.partition(" INCLUDE")[0] in gone
    assert "(grade)" in new


def test_tables_of_a_short_log_have_their_indexes_from_the_beginning(database_url: str) -> None:
    assert not bare(database_url)


def test_what_a_projector_that_is_killed_making_indexes_has_not_made_is_made_by_the_next(
    long_log: str,
) -> None:
    with open_connection(long_log) as conn, conn.transaction():
        conn.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        conn.execute("LOCK TABLE rollbook_read.enrollment_listing IN ROW EXCLUSIVE MODE")
        with projector(long_log):
            eventually(lambda: waits(long_log, "enrollment_listing", "ShareLock") == AT_ONCE)
            # It is killed on leaving.
        left = bare(long_log)
    assert "enrollment_listing" in left
    with projector(long_log):
        eventually(lambda: not bare(long_log))
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
