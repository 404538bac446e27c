"""Events that cannot be applied: what stops, what goes on, and how it is repaired."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import msgspec
import psycopg
import pytest

from domain.enrollment import Enrollment
from eventlog.pool import Connection, open_connection
from projections import parked, repairs
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.names import LIVE
from projections.positions import Positions
from projections.repair import NothingParkedError, retry, skip
from projections.table import ReadTable
from projections.tables import ALL_TABLES
from tests.patience import PATIENCE_SECONDS
from tests.workers.world import (
    ACT,
    CODEC,
    all_rows,
    projecting,
    published,
    tables_by_a_rebuild,
    train,
    write_side,
)

NAMES = [table.name for table in ALL_TABLES]


def broken(evolve: Any) -> list[ReadTable[Any]]:
    """All tables, the enrollment listing with another `evolve`."""
    return [
        replace(table, evolve=evolve) if table is ENROLLMENT_LISTING else table
        for table in ALL_TABLES
    ]


def refusing_progress_of(employee: str) -> Any:
    def evolve(row: Any, event: Any) -> Any:
        if isinstance(event, Enrollment.ProgressRecorded) and event.employee_id == employee:
            raise RuntimeError("cannot take progress")
        return ENROLLMENT_LISTING.evolve(row, event)

    return evolve


def too_long_a_name_for(employee: str) -> Any:
    """What the fold takes and the database does not: text with the character NUL."""

    def evolve(row: Any, event: Any) -> Any:
        after: Any = ENROLLMENT_LISTING.evolve(row, event)
        if isinstance(event, Enrollment.ProgressRecorded) and event.employee_id == employee:
            return msgspec.structs.replace(after, source="\0")
        return after

    return evolve


def train_two(url: str, tables: list[ReadTable[Any]]) -> None:
    """Train e1 and e2, and wait until it is projected."""
    with (
        closing(Positions(url)) as positions,
        write_side(url) as training,
        projecting(url, tables),
    ):
        program_id = published(training, "SAFE")
        train(training, program_id, "e1")
        assert positions.wait(NAMES, train(training, program_id, "e2"), PATIENCE_SECONDS)


def statuses(conn: Connection) -> dict[str, str]:
    rows = conn.execute("SELECT employee_id, status FROM rollbook_read.enrollment_listing")
    return dict(rows.fetchall())


@pytest.mark.parametrize("bad", [refusing_progress_of, too_long_a_name_for])
def test_a_bad_event_holds_up_its_own_row_alone(database_url: str, bad: Any) -> None:
    train_two(database_url, broken(bad("e1")))
    with open_connection(database_url) as conn:
        assert statuses(conn) == {"e1": "enrolled", "e2": "completed"}
        [held] = parked.listed(conn)
        assert (held.table_name, held.events) == ("enrollment_listing", 3)
        assert held.error is not None
        shown = f'{{"id": "{held.key}", "of": "other"}}'
        assert parked.shown(conn, ["enrollment_listing"], shown) == [held.key]
        assert parked.shown(conn, ["program_listing"], shown) == []
        assert parked.shown(conn, ["enrollment_listing"], "other") == []


def test_what_comes_later_for_the_row_waits_in_order_also_after_a_restart(
    database_url: str,
) -> None:
    tables = broken(refusing_progress_of("e1"))
    train_two(database_url, tables)
    with (
        closing(Positions(database_url)) as positions,
        write_side(database_url) as training,
        projecting(database_url, tables),
        open_connection(database_url) as conn,
    ):
        [held] = parked.listed(conn)
        query = "SELECT id FROM rollbook_read.enrollment_listing WHERE employee_id = 'e1'"
        [(enrollment_id,)] = conn.execute(query).fetchall()
        voided = training.void_completion(enrollment_id, replace(ACT, reason="wrong"))
        assert positions.wait(NAMES, voided.position or 0, PATIENCE_SECONDS)
        parked_at = parked.positions(conn, LIVE, "enrollment_listing", held.key)
        assert len(parked_at) == held.events + 2
        assert parked_at == sorted(parked_at)


def test_a_retry_with_a_good_version_applies_all_that_waited(database_url: str) -> None:
    train_two(database_url, broken(refusing_progress_of("e1")))
    with open_connection(database_url) as conn:
        [held] = parked.listed(conn)
        repair = retry(conn, CODEC, ENROLLMENT_LISTING, held.key, "carol")
        assert (repair.applied, repair.still_parked) == (3, 0)
        assert parked.listed(conn) == []
        assert [(r.actor, r.action) for r in repairs.latest(conn, 10)] == [("carol", "retry")]
    assert all_rows(database_url) == tables_by_a_rebuild(database_url)


def test_a_retry_that_changes_nothing_leaves_the_row_parked(database_url: str) -> None:
    tables = broken(refusing_progress_of("e1"))
    train_two(database_url, tables)
    with open_connection(database_url) as conn:
        [held] = parked.listed(conn)
        repair = retry(conn, CODEC, tables[NAMES.index("enrollment_listing")], held.key, "carol")
        assert (repair.applied, repair.still_parked) == (0, 3)
        assert [(p.position, p.events) for p in parked.listed(conn)] == [(held.position, 3)]


def test_a_skip_gives_up_one_event_for_good_and_says_why(database_url: str) -> None:
    tables = broken(refusing_progress_of("e1"))
    table = tables[NAMES.index("enrollment_listing")]
    train_two(database_url, tables)
    with open_connection(database_url) as conn:
        [held] = parked.listed(conn)
        with pytest.raises(ValueError, match="reason"):
            skip(conn, CODEC, table, held.key, "carol", " ")
        skip(conn, CODEC, table, held.key, "carol", "was never true")
        assert statuses(conn) == {"e1": "completed", "e2": "completed"}
        [repair] = repairs.latest(conn, 10)
        assert (repair.reason, repair.position) == ("was never true", held.position)
    live = all_rows(database_url)
    assert live == tables_by_a_rebuild(database_url)
    assert live != {}


def test_the_projector_goes_on_with_the_repaired_row(database_url: str) -> None:
    train_two(database_url, broken(refusing_progress_of("e1")))
    with (
        closing(Positions(database_url)) as positions,
        write_side(database_url) as training,
        projecting(database_url, list(ALL_TABLES)),
        open_connection(database_url) as conn,
    ):
        [held] = parked.listed(conn)
        retry(conn, CODEC, ENROLLMENT_LISTING, held.key, "carol")
        program_id = published(training, "NEXT")
        assert positions.wait(NAMES, train(training, program_id, "e1"), PATIENCE_SECONDS)
    assert all_rows(database_url) == tables_by_a_rebuild(database_url)


def test_what_is_not_parked_cannot_be_repaired(database_url: str) -> None:
    with open_connection(database_url) as conn, pytest.raises(NothingParkedError, match="nobody"):
        retry(conn, CODEC, ENROLLMENT_LISTING, "nobody", "carol")


def test_repairs_are_never_changed(database_url: str) -> None:
    with (
        open_connection(database_url) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute("DELETE FROM rollbook.repairs")
