"""The fold: batches and summaries, for all tables and random histories; events that raise."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.aggregate import Event
from domain.enrollment import Enrollment
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.fold import Folded, Stops, fold
from projections.histories import HISTORIES
from projections.sorting import Sorting
from projections.table import ReadTable, Summary
from projections.tables import PRESENT_TABLES
from projections.unreadable import Unreadable
from tests.projections.histories import PROGRAM_ID, history, steps
from tests.projections.late_histories import late_histories

Rows = dict[Any, Any]
TWO = [("ada", "enroll", 0), ("ben", "enroll", 0), ("ada", "progress", 10), ("ben", "progress", 20)]


def fold_one(
    table: ReadTable[Any],
    events: list[Any],
    rows: Rows,
    stops: Stops | None = None,
    first_position: int = 1,
) -> Folded:
    """What the events do to the table, the first of them standing at `first_position`."""
    stops = Stops() if stops is None else stops
    entries = list(enumerate(events, start=first_position))
    [batch] = Sorting([table]).sort(entries, [stops])
    return fold(table, batch, [rows.get(key) for key in batch.by_key], stops)


def project(
    table: ReadTable[Any], batches: list[list[Event]]
) -> tuple[Rows, dict[str, Counter[Any]]]:
    """Rows and summaries as a projector leaves them that reads in these batches."""
    rows: Rows = {}
    totals: dict[str, Counter[Any]] = {s.name: Counter() for s in table.summaries}
    for batch in batches:
        folded = fold_one(table, batch, rows)
        for name, net in folded.summaries.items():
            for key, amounts in net.items():
                for index, amount in enumerate(amounts):
                    totals[name][(*key, index)] += amount
        rows |= {table.key_of(row): row for row in (*folded.added, *folded.changed)}
        gone = {*folded.gone}
        rows = {key: row for key, row in rows.items() if getattr(row, table.key) not in gone}
    return rows, totals


def counted(summary: Summary[Any], rows: Rows) -> Counter[Any]:
    """What the contributions of the rows that are there add up to."""
    total: Counter[Any] = Counter()
    for row in rows.values():
        contributed = summary.contribution(row)
        if contributed is not None:
            key, amounts = contributed
            for index, amount in enumerate(amounts):
                total[(*key, index)] += amount
    return total


@pytest.mark.parametrize("table", PRESENT_TABLES, ids=lambda table: table.name)
@given(given_steps=steps)
def test_no_field_but_those_declared_tells_what_a_row_contributes(
    table: ReadTable[Any], given_steps: list[tuple[str, str, int]]
) -> None:
    ever: list[Any] = [None]
    for event in history(given_steps):
        if type(event) in table.keys:
            ever.append(table.evolve(ever[-1], event))
    rows = [row for row in ever if row is not None]
    for summary, row, other in product(table.summaries, rows, rows[-10:]):
        told = {name: getattr(row, name) for name in summary.told_by}
        same = msgspec.structs.replace(other, **told)
        assert summary.contribution(same) == summary.contribution(row)


@pytest.mark.parametrize("table", PRESENT_TABLES, ids=lambda table: table.name)
@given(given_steps=steps, size=st.integers(1, 7))
def test_it_does_not_matter_how_events_are_cut_into_batches(
    table: ReadTable[Any], given_steps: list[tuple[str, str, int]], size: int
) -> None:
    events = history(given_steps)
    small = [events[i : i + size] for i in range(0, len(events), size)]
    rows, totals = project(table, small)
    assert (rows, _counts(totals)) == _counted(project(table, [events]))


def _counted(projected: tuple[Rows, dict[str, Counter[Any]]]) -> tuple[Rows, dict[str, Any]]:
    return projected[0], _counts(projected[1])


def _counts(totals: dict[str, Counter[Any]]) -> dict[str, Any]:
    return {name: {k: n for k, n in total.items() if n} for name, total in totals.items()}


@pytest.mark.parametrize("table", PRESENT_TABLES, ids=lambda table: table.name)
@given(given_steps=steps, size=st.integers(1, 7))
def test_every_summary_is_what_its_rows_add_up_to(
    table: ReadTable[Any], given_steps: list[tuple[str, str, int]], size: int
) -> None:
    events = history(given_steps)
    rows, totals = project(table, [events[i : i + size] for i in range(0, len(events), size)])
    for summary in table.summaries:
        assert +totals[summary.name] == +counted(summary, rows)
        assert not -totals[summary.name]


def with_bad_progress(events: list[Event], of: str) -> list[Any]:
    """The same events, with the progress of this employee lacking what every table reads."""
    made = list(events)
    for number, event in enumerate(made):
        if isinstance(event, Enrollment.ProgressRecorded) and event.employee_id == of:
            made[number] = replace(event)
            object.__delattr__(made[number], "percent")
    return made


@given(late_histories())
def test_an_event_that_is_said_to_begin_a_row_is_the_first_that_concerns_it(
    events: list[Event],
) -> None:
    for table in (*PRESENT_TABLES, *HISTORIES):
        [batch] = Sorting([table]).sort(list(enumerate(events)), [Stops()])
        for (_, first), *others in batch.by_key.values():
            assert not any(table.begins(event) for _, event in others)
            if table is ENROLLMENT_LISTING:
                assert table.begins(first)


def test_an_event_that_raises_stops_its_own_row_and_no_other() -> None:
    events = with_bad_progress(
        history([*TWO, ("ada", "complete", 90), ("ben", "complete", 80)]), "ada"
    )
    folded = fold_one(ENROLLMENT_LISTING, events, {})
    by_employee = {row.employee_id: row for row in (*folded.added, *folded.changed)}
    assert (by_employee["ada"].status, by_employee["ben"].status) == ("enrolled", "completed")
    ada = str(Enrollment.id_of(PROGRAM_ID, "ada"))
    # Her bad event, her completion, and the certificate that it earned.
    assert [(held.key, held.error is None) for held in folded.held] == [
        (ada, False),
        (ada, True),
        (ada, True),
    ]
    assert [type(held.error) for held in folded.held[:1]] == [AttributeError]


def test_what_comes_later_for_a_stopped_row_waits_too() -> None:
    first, later = history(TWO)[:4], history(TWO)[4:]
    stops = Stops({str(Enrollment.id_of(PROGRAM_ID, "ada"))})
    rows = {row.id.int: row for row in fold_one(ENROLLMENT_LISTING, first, {}).added}
    folded = fold_one(ENROLLMENT_LISTING, later, rows, stops, first_position=5)
    assert [(held.position, held.error) for held in folded.held] == [(5, None)]
    assert [row.employee_id for row in folded.changed] == ["ben"]


def test_a_row_whose_contribution_raises_is_held_as_a_whole() -> None:
    def refuse(_row: object) -> Any:
        raise ArithmeticError("no sum")

    table = replace(
        ENROLLMENT_LISTING,
        summaries=(replace(ENROLLMENT_LISTING.summaries[0], contribution=refuse),),
    )
    folded = fold_one(table, history(TWO[:1]), {})
    assert not folded.added
    assert [type(held.error) for held in folded.held] == [ArithmeticError]


def test_an_event_that_cannot_be_read_stops_its_stream_in_every_table() -> None:
    events = history([("ada", "enroll", 0), ("ada", "progress", 10), ("ada", "complete", 90)])
    stream = Enrollment.id_of(PROGRAM_ID, "ada")
    made: list[Any] = [*events]
    made[3] = Unreadable((4, stream, 2, "torn.v1", b"{"), ValueError("torn"))
    for table in PRESENT_TABLES:
        stops = Stops()
        folded = fold_one(table, made, {}, stops)
        assert {held.key for held in folded.held} == {str(stream)}
        assert stops.keys == {str(stream)}


def test_a_row_that_is_gone_takes_its_amounts_along() -> None:
    gone = replace(ENROLLMENT_LISTING, evolve=lambda _row, _event: None)
    [row] = fold_one(ENROLLMENT_LISTING, history(TWO[:1]), {}).added
    folded = fold_one(gone, history([TWO[0], TWO[2]])[-1:], {row.id.int: row})
    assert folded.gone == [row.id]
    [amounts] = folded.summaries["enrollments_by_beginning"].values()
    assert sum(amounts) == -1
    assert isinstance(row.id, UUID)
