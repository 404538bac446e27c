"""Rebuilding and verifying, on a real PostgreSQL, while the projector and queries go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from threading import Event as Signal
from threading import Thread
from typing import Any

import msgspec
import psycopg
import pytest

from eventlog.pool import open_connection
from projections import building, progress
from projections.comparing import Difference
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.names import LIVE
from projections.positions import Positions
from projections.program_listing import PROGRAM_LISTING
from projections.tables import ALL_TABLES
from tests.patience import PATIENCE_SECONDS
from tests.workers.world import (
    CODEC,
    all_rows,
    projector,
    published,
    tables_by_a_rebuild,
    train,
    write_side,
)
from workers.build import Stopped
from workers.rebuild import SCHEMA, discard, rebuild
from workers.verify import OtherDefinitionError, verify

NAMES = [table.name for table in ALL_TABLES]


def fill(url: str, code: str, employees: int) -> None:
    """Train some employees in a new program, and wait until it is projected."""
    with closing(Positions(url)) as positions, write_side(url) as training, projector(url):
        program_id = published(training, code)
        position = 0
        for number in range(employees):
            position = train(training, program_id, f"e{number}")
        assert positions.wait(NAMES, position, PATIENCE_SECONDS)


def test_verifying_proves_what_the_projector_did(database_url: str) -> None:
    fill(database_url, "SAFE", 3)
    verdicts = verify(database_url, CODEC, ALL_TABLES, Signal())
    assert [verdict.table for verdict in verdicts] == NAMES
    assert all(verdict.holds for verdict in verdicts)
    assert {verdict.events for verdict in verdicts} == {verdicts[0].events_in_log}
    with psycopg.connect(database_url) as conn:
        assert conn.execute("SELECT to_regnamespace('rollbook_verify')").fetchone() == (None,)


@pytest.mark.parametrize(
    ("damage", "table", "rows"),
    [
        ("UPDATE enrollment_listing SET percent = 1 WHERE employee_id = 'e1'", "listing", 1),
        ("DELETE FROM enrollment_listing WHERE employee_id <> 'e1'", "listing", 2),
        ("UPDATE enrollment_counts SET completed = completed + 1", "counts", 3),
        ("INSERT INTO employee_scores VALUES ('nobody', 1, 1)", "scores", 1),
    ],
)
def test_verifying_names_every_row_that_differs(
    database_url: str, damage: str, table: str, rows: int
) -> None:
    fill(database_url, "SAFE", 3)
    with psycopg.connect(database_url, options=f"-c search_path={LIVE}") as conn:
        conn.execute(damage)
    found: list[Difference] = []
    [verdict] = verify(
        database_url, CODEC, [ENROLLMENT_LISTING], Signal(), on_difference=found.append
    )
    assert (verdict.holds, verdict.digest_matches, verdict.differences) == (False, True, rows)
    assert {difference.table.endswith(table) for difference in found} == {True}


def test_verifying_notices_an_event_that_was_left_out_or_taken_twice(database_url: str) -> None:
    fill(database_url, "SAFE", 2)
    for damage in ("SET events = events - 1", "SET digest = digest + 1, events = events + 1"):
        with psycopg.connect(database_url) as conn:
            conn.execute("UPDATE rollbook_read.progress " + damage)
        verdicts = verify(database_url, CODEC, ALL_TABLES, Signal())
        assert not any(verdict.digest_matches for verdict in verdicts)
        assert not any(verdict.differences for verdict in verdicts)


def test_a_table_of_another_definition_is_not_verified(database_url: str) -> None:
    newer = replace(PROGRAM_LISTING, definition=PROGRAM_LISTING.definition + 1)
    with pytest.raises(OtherDefinitionError, match="program_listing"):
        verify(database_url, CODEC, [newer], Signal())


@contextmanager
def asking(url: str) -> Iterator[list[int]]:
    """Ask the live tables over and over; gives the numbers of enrollments that were seen."""
    stop, seen = Signal(), list[int]()

    def ask() -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            while not stop.is_set():
                query = "SELECT count(*) FROM rollbook_read.enrollment_listing"
                seen.extend(count for (count,) in conn.execute(query))

    thread = Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def test_a_rebuild_puts_right_what_was_wrong_and_readers_notice_nothing(
    database_url: str,
) -> None:
    fill(database_url, "SAFE", 5)
    with psycopg.connect(database_url) as conn:
        conn.execute("UPDATE rollbook_read.enrollment_listing SET percent = 1")
    found: list[Difference] = []
    with (
        closing(Positions(database_url)) as positions,
        write_side(database_url) as training,
        projector(database_url),
        asking(database_url) as seen,
    ):
        program_id = published(training, "NEXT")
        for number in range(10):
            position = train(training, program_id, f"e{number}")
        assert positions.wait(NAMES, position, PATIENCE_SECONDS)
        rebuilt = rebuild(database_url, CODEC, ALL_TABLES, Signal(), on_difference=found.append)
        position = train(training, program_id, "e20")
        assert positions.wait(NAMES, position, PATIENCE_SECONDS)
    assert rebuilt.tables == tuple(NAMES)
    assert len(found) == 5
    assert seen == sorted(seen)
    assert seen[0] >= 5
    assert all_rows(database_url) == tables_by_a_rebuild(database_url)
    assert all(v.holds for v in verify(database_url, CODEC, ALL_TABLES, Signal()))


def test_a_rebuild_under_load_loses_and_doubles_nothing(database_url: str) -> None:
    with (
        closing(Positions(database_url)) as positions,
        write_side(database_url) as training,
        projector(database_url),
    ):
        program_id = published(training, "SAFE")
        done = Signal()

        def rebuild_thrice() -> None:
            for _ in range(3):
                rebuild(database_url, CODEC, ALL_TABLES, Signal())
            done.set()

        thread = Thread(target=rebuild_thrice)
        thread.start()
        number = 0
        while not done.is_set() and number < 200:
            position = train(training, program_id, f"e{number}")
            number += 1
        thread.join()
        assert done.is_set()
        assert positions.wait(NAMES, position, PATIENCE_SECONDS)
    assert all_rows(database_url) == tables_by_a_rebuild(database_url)


def test_an_interrupted_rebuild_goes_on_where_it_was(database_url: str) -> None:
    fill(database_url, "SAFE", 3)
    stop = Signal()
    with pytest.raises(Stopped):
        rebuild(database_url, CODEC, ALL_TABLES, stop, lambda _reached, _goal: stop.set())
    with open_connection(database_url) as conn:
        kept = progress.read(conn, SCHEMA)
    rebuilt = rebuild(database_url, CODEC, ALL_TABLES, Signal())
    assert sorted(rebuilt.continued) == sorted(kept) == sorted(NAMES)
    assert all_rows(database_url) == tables_by_a_rebuild(database_url)


def test_an_interrupted_rebuild_can_be_discarded(database_url: str) -> None:
    fill(database_url, "SAFE", 1)
    before = all_rows(database_url)
    stop = Signal()
    stop.set()
    with pytest.raises(Stopped):
        rebuild(database_url, CODEC, ALL_TABLES, stop)
    discard(database_url)
    with psycopg.connect(database_url) as conn:
        assert conn.execute("SELECT to_regnamespace(%s)", (SCHEMA,)).fetchone() == (None,)
    assert all_rows(database_url) == before


def test_the_live_tables_cannot_be_discarded(database_url: str) -> None:
    with open_connection(database_url) as conn, pytest.raises(ValueError, match=LIVE):
        building.discard(conn, LIVE)


def test_a_table_of_a_new_definition_is_switched_to_without_comparing(database_url: str) -> None:
    fill(database_url, "SAFE", 2)

    def evolve(row: Any, event: Any) -> Any:
        after = ENROLLMENT_LISTING.evolve(row, event)
        return after and msgspec.structs.replace(after, department="all")

    newer = replace(ENROLLMENT_LISTING, evolve=evolve, definition=99)
    rebuilt = rebuild(database_url, CODEC, [newer], Signal())
    assert rebuilt.verdicts == ()
    with psycopg.connect(database_url) as conn:
        query = "SELECT DISTINCT department FROM rollbook_read.enrollment_listing"
        assert conn.execute(query).fetchall() == [("all",)]
        count = "SELECT sum(completed) FROM rollbook_read.enrollment_counts"
        assert conn.execute(count).fetchone() == (2,)
        indexes = "SELECT count(*) FROM pg_indexes WHERE schemaname = %s AND tablename = %s"
        found = conn.execute(indexes, (LIVE, newer.name)).fetchone()
        assert found == (len(newer.indexes) + 1,)
