"""Rows come back from PostgreSQL as they went in, whether they are copied or not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.training_program import TrainingProgram
from eventlog.pool import open_connection
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.fold import Folded, Sorted
from projections.names import LIVE
from projections.program_listing import PROGRAM_LISTING
from projections.rows import Rows
from projections.table import ReadTable
from projections.writing import COPIED_ROWS
from tests.domain.facts import ann_enrolled, certified, completed, failed
from tests.domain.samples import full
from tests.projections.rows import the_row
from tests.projections.test_enrollment_rows import ANN_ID


def enrollment_with_past_cycles() -> Any:
    first = (ann_enrolled(), completed(80.25, "B"), certified())
    return the_row(ENROLLMENT_LISTING, ANN_ID, *first, ann_enrolled(2), failed(), ann_enrolled(3))


def program_with_all_details() -> Any:
    return PROGRAM_LISTING.evolve(None, full(TrainingProgram.Created))


@pytest.mark.parametrize("number", [2, COPIED_ROWS])
@pytest.mark.parametrize(
    ("table", "make"),
    [
        (ENROLLMENT_LISTING, enrollment_with_past_cycles),
        (PROGRAM_LISTING, program_with_all_details),
    ],
    ids=["enrollment", "program"],
)
def test_rows_come_back_the_same(
    database_url: str, table: ReadTable[Any], make: Any, number: int
) -> None:
    row = make()
    ids = [UUID(int=n) for n in range(number)]
    folded = Folded.of(table, Sorted())
    folded.added.extend(replace(row, id=one) for one in ids)
    with open_connection(database_url) as conn:
        writing = Rows(table, LIVE).writing(folded)
        writing.copy(conn)
        writing.execute(conn)
        found = Rows(table, LIVE).load(conn, ids, lambda: None)
    assert found == {one: replace(row, id=one) for one in ids}
