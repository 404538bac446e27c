"""Rows come back from PostgreSQL as they went in."""

from __future__ import annotations

from dataclasses import replace

from eventlog.pool import open_connection
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.fold import Folded
from projections.names import LIVE
from projections.rows import Rows
from tests.domain.facts import ann_enrolled, certified, completed, failed
from tests.projections.rows import the_row
from tests.projections.test_enrollment_rows import ANN_ID


def test_an_enrollment_with_past_cycles_comes_back_the_same(database_url: str) -> None:
    first = (ann_enrolled(), completed(80.25, "B"), certified())
    row = the_row(ENROLLMENT_LISTING, ANN_ID, *first, ann_enrolled(2), failed(), ann_enrolled(3))
    plain = replace(row, id=row.program_id, past_cycles=())
    folded = Folded({}, [row, plain], [], {s.name: {} for s in ENROLLMENT_LISTING.summaries}, [])
    with open_connection(database_url) as conn:
        Rows(ENROLLMENT_LISTING, LIVE).write(conn, folded)
        found = Rows(ENROLLMENT_LISTING, LIVE).load(conn, [row.id, plain.id])
    assert found == {row.id: row, plain.id: plain}
