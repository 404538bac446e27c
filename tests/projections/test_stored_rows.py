"""Rows come back from PostgreSQL as they went in, whether they are copied or not."""

from __future__ import annotations

from operator import attrgetter
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.training_program import TrainingProgram
from eventlog.pool import Connection, open_connection
from projections.columns import partial_row_maker
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.enrollment_row import EnrollmentRow
from projections.fold import Folded, Sorted
from projections.histories import ENROLLMENT_HISTORY
from projections.names import LIVE
from projections.program_listing import PROGRAM_LISTING
from projections.rows import Rows
from projections.stay_rows import StayRows
from projections.table import ReadTable
from projections.timeline import Bounds, Stay
from projections.writing import COPIED_ROWS
from tests.domain.facts import ann_enrolled, certified, completed, failed
from tests.domain.samples import full
from tests.projections.late_histories import BEGIN, HOUR
from tests.projections.rows import the_row
from tests.projections.test_enrollment_rows import ANN_ID


def enrollment_with_past_cycles() -> Any:
    first = (ann_enrolled(), completed(80.25, "B"), certified())
    return the_row(ENROLLMENT_LISTING, ANN_ID, *first, ann_enrolled(2), failed(), ann_enrolled(3))


def program_with_all_details() -> Any:
    return PROGRAM_LISTING.evolve(None, full(TrainingProgram.Created))


numbers = pytest.mark.parametrize("number", [2, COPIED_ROWS])
tables = pytest.mark.parametrize(
    ("table", "make"),
    [
        (ENROLLMENT_LISTING, enrollment_with_past_cycles),
        (PROGRAM_LISTING, program_with_all_details),
    ],
    ids=["enrollment", "program"],
)


def write(conn: Connection, rows: Rows | StayRows, folded: Folded) -> None:
    writing = rows.writing(conn, folded)
    with conn.transaction():
        writing.copy(conn)
        writing.execute(conn)


def load(conn: Connection, table: ReadTable[Any], ids: list[UUID]) -> Any:
    rows = Rows(table, LIVE).load(conn, of_events(ids), lambda: None)
    return dict(zip(ids, rows, strict=True))


def of_events(ids: list[UUID]) -> dict[int, list[Any]]:
    """An event for each that is not the first of its stream."""
    return {one.int: [(0, failed().event(one, 2))] for one in ids}


@numbers
@tables
def test_rows_come_back_the_same(
    database_url: str, table: ReadTable[Any], make: Any, number: int
) -> None:
    row = make()
    ids = [UUID(int=n) for n in range(number)]
    folded = Folded.of(table, Sorted())
    folded.added.extend(replace(row, id=one) for one in ids)
    with open_connection(database_url) as conn:
        write(conn, Rows(table, LIVE), folded)
        assert load(conn, table, ids) == {one: replace(row, id=one) for one in ids}


@numbers
@tables
def test_rows_that_change_come_back_as_they_are_then_and_the_others_as_they_were(
    database_url: str, table: ReadTable[Any], make: Any, number: int
) -> None:
    row = make()
    ids = [UUID(int=n) for n in range(number + 1)]
    first, then = Folded.of(table, Sorted()), Folded.of(table, Sorted())
    first.added.extend(replace(row, id=one) for one in ids)
    then.changed.extend(replace(row, id=one, version=one.int + 10) for one in ids[1:])
    rows = Rows(table, LIVE)
    with open_connection(database_url) as conn:
        for folded in (first, then, then):
            write(conn, rows, folded)
        expected = [replace(row, id=ids[0]), *then.changed]
        assert load(conn, table, ids) == {one.id: one for one in expected}


@numbers
def test_stays_that_end_come_back_with_their_end_and_the_others_as_they_were(
    database_url: str, number: int
) -> None:
    kept = attrgetter(*ENROLLMENT_HISTORY.kept)(enrollment_with_past_cycles())
    row = partial_row_maker(EnrollmentRow, ENROLLMENT_HISTORY.kept)(*kept)
    ids = [UUID(int=n) for n in range(number + 1)]
    first, then = (Folded.of(ENROLLMENT_HISTORY, Sorted()) for _ in range(2))
    first.added.extend(Stay(replace(row, id=one), Bounds(BEGIN, BEGIN)) for one in ids)
    later = BEGIN + HOUR
    then.gone.extend(Stay(it.row, it.bounds.ended(later, later)) for it in first.added[1:])
    stays = StayRows(ENROLLMENT_HISTORY, LIVE)
    with open_connection(database_url) as conn:
        for folded in (first, then, then):
            write(conn, stays, folded)
        found = StayRows(ENROLLMENT_HISTORY, LIVE).load(conn, of_events(ids), lambda: None)
    assert found == [[it] for it in (first.added[0], *then.gone)]
