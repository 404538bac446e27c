"""What was: the live tables, as of any moment, are what a replay to that moment makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise, starmap
from operator import attrgetter
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

from directory.personal_keys import destroy_key
from domain.act import Act
from domain.aggregate import Event
from domain.enrollment import Enrollment, Source
from domain.program_details import ProgramDetails
from domain.training_program import TrainingProgram
from eventlog.pool import Connection, open_connection
from projections import parked, repairs
from projections.as_of import AsOf, LiveTable, Moment, ask
from projections.batch import Lockstep, Stored
from projections.columns import columns_of, row_maker
from projections.enrollment_evolving import without_text
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.fold import Held
from projections.histories import ENROLLMENT_HISTORY, FOLLOWED
from projections.history import History
from projections.lease import Lease
from projections.names import LIVE
from projections.program_listing import PROGRAM_LISTING
from projections.store import create_tables, sql_tables
from projections.table import ReadTable
from projections.tables import ALL_TABLES
from projections.tables_of_then import NoHistoryError
from projections.writing import COPIED_ROWS
from tests.domain.samples import full
from tests.projections.histories import ACT, PROGRAM_ID, history
from tests.projections.late_histories import (
    BEGIN,
    HOUR,
    by_hand,
    late_histories,
    late_places,
    moments,
    told_late,
)
from tests.projections.logged import CODEC, logged
from tests.projections.rows import summed
from workers.ahead import Ahead, Writer

NOW = Moment(BEGIN + 10_000 * HOUR, BEGIN + 10_000 * HOUR)

some = st.lists(st.integers(0, 10_000), min_size=3, max_size=3)

Reading = Connection | AsOf


def projected(conn: Connection, events: Sequence[Event], cuts: Sequence[int]) -> None:
    """Empty all tables, and apply the events in batches that end at the `cuts`."""
    conn.execute("SET timezone = 'UTC'")
    for name in (*sql_tables(ALL_TABLES), "progress", "parked"):
        conn.execute(SQL("DELETE FROM {}").format(Identifier(LIVE, name)))
    create_tables(conn, ALL_TABLES)
    lease = Lease(LIVE)
    taken = lease.take(conn, ALL_TABLES)
    tables = Lockstep(lease, [Stored(conn, t, LIVE, taken[t.name]) for t in ALL_TABLES])
    entries = list(enumerate(events, start=1))
    ends = sorted({0, len(entries), *(cut for cut in cuts if cut < len(entries))})
    with closing(Writer(conn.info.dsn)) as writer:
        ahead = Ahead(tables, writer, CODEC)
        for begin, end in pairwise(ends):
            ahead.apply(conn, entries[begin:end])
        ahead.settle(conn)


SOUGHT = {one.of: one.kept for one in FOLLOWED if one.sought is not None}
"""The columns that rows of the past are sought by, where the others are told by the log."""


def rows_of(reading: Reading, table: ReadTable[Any]) -> dict[Any, Any]:
    columns = ", ".join(f"r.{column.name}" for column in columns_of(table.row))
    make, name = row_maker(table.row), f"{LIVE}.{table.name}"
    keys = [key for (key,) in ask(reading, f"SELECT {table.key} FROM {name}")]  # noqa: S608  # names of ours
    if isinstance(reading, AsOf):
        found = reading.shown(columns, LiveTable(name, table.key), keys)
        assert len(found) == len(keys)
        if table in SOUGHT:
            of_stays = ask(reading, f"SELECT {', '.join(SOUGHT[table])} FROM {name}")  # noqa: S608  # the same
            shown = map(attrgetter(*SOUGHT[table]), starmap(make, found))
            assert sorted(map(repr, of_stays)) == sorted(map(repr, shown))
    else:
        found = ask(reading, f"SELECT {columns} FROM {name} r")  # noqa: S608  # the same
    return {getattr(row, table.key): row for row in (make(*values) for values in found)}


def sums_of(reading: Reading, history: History) -> dict[str, Mapping[Any, Any]]:
    sums: dict[str, Mapping[Any, Any]] = {}
    for summary in history.of.stored_summaries:
        columns = ", ".join((*summary.key, *summary.amounts))
        width = len(summary.key)
        sums[summary.name] = {
            tuple(values[:width]): dict(zip(summary.amounts, values[width:], strict=True))
            for values in reading.execute(f"SELECT {columns} FROM {LIVE}.{summary.name}")  # noqa: S608  # the same
        }
    return sums


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(late_histories(), st.lists(st.integers(1, 100), max_size=4), some)
def test_lists_and_counts_as_of_a_moment_are_a_replay_to_it(
    database_url: str, events: list[Event], cuts: list[int], chosen: list[int]
) -> None:
    with open_connection(database_url) as conn:
        logged(conn, events)
        projected(conn, events, cuts)
        at = moments(events)
        for moment in (at[number % len(at)] for number in chosen):
            reading = AsOf(conn, moment, CODEC)
            for history in FOLLOWED:
                expected = by_hand(history.of, events, moment)
                assert rows_of(reading, history.of) == expected
                assert sums_of(reading, history) == added_up(history, expected)


def added_up(history: History, rows: Mapping[Any, Any]) -> dict[str, Mapping[Any, Any]]:
    return {
        stored.name: summed(summary, stored.name, rows.values())
        for summary in history.of.summaries
        for stored in summary.stored
    }


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(late_histories(), st.lists(st.integers(1, 100), max_size=4))
def test_every_table_of_counts_has_what_the_rows_of_now_add_up_to(
    database_url: str, events: list[Event], cuts: list[int]
) -> None:
    with open_connection(database_url) as conn:
        projected(conn, events, cuts)
        for history in FOLLOWED:
            assert sums_of(conn, history) == added_up(history, rows_of(conn, history.of))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(late_places(), st.lists(st.integers(0, 10_000), min_size=30, max_size=30))
def test_seats_and_waiting_lists_are_those_that_each_persons_last_event_left(
    database_url: str, events: list[Event], chosen: list[int]
) -> None:
    with open_connection(database_url) as conn:
        logged(conn, events)
        projected(conn, events, [])
        at = moments(events)
        for moment in (at[number % len(at)] for number in chosen):
            shown = rows_of(AsOf(conn, moment, CODEC), PROGRAM_LISTING)
            assert shown == by_hand(PROGRAM_LISTING, events, moment)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(late_histories(), st.lists(st.integers(1, 100), max_size=4))
def test_as_of_now_and_known_now_is_the_present(
    database_url: str, events: list[Event], cuts: list[int]
) -> None:
    with open_connection(database_url) as conn:
        logged(conn, events)
        projected(conn, events, cuts)
        for history in FOLLOWED:
            assert rows_of(AsOf(conn, NOW, CODEC), history.of) == rows_of(conn, history.of)
            assert sums_of(AsOf(conn, NOW, CODEC), history) == sums_of(conn, history)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(late_histories(), st.lists(st.integers(1, 100), max_size=9))
def test_a_history_does_not_depend_on_how_its_events_were_cut_into_batches(
    database_url: str, events: list[Event], cuts: list[int]
) -> None:
    with open_connection(database_url) as conn:
        held = []
        for some_cuts in ([], cuts):
            projected(conn, events, some_cuts)
            held.append(
                {
                    name: set(
                        conn.execute(SQL("SELECT t::text FROM {} t").format(Identifier(LIVE, name)))
                    )
                    for name in sql_tables(ALL_TABLES)
                }
            )
        assert held[0] == held[1]


def test_an_event_may_take_effect_before_the_stay_that_is_remembered(database_url: str) -> None:
    steps = [("ada", "enroll", 0), *(("ada", "progress", percent) for percent in (10, 20, 30))]
    events = history(steps)
    late = told_late(events, [*[(2, 0)] * (len(events) - 1), (2, 5)])
    with open_connection(database_url) as conn:
        logged(conn, late)
        projected(conn, late, [len(late) - 1])
        for moment in moments(late):
            expected = by_hand(ENROLLMENT_LISTING, late, moment)
            assert rows_of(AsOf(conn, moment, CODEC), ENROLLMENT_LISTING) == expected


def test_a_stay_that_ends_and_comes_back_in_one_batch_was_away_between(database_url: str) -> None:
    acts = (("enroll", 0), ("progress", 10), ("complete", 90), ("void", 0), ("progress", 20))
    late = told_late(history([("ada", *act) for act in acts]), [(1, 0)] * 9)
    with open_connection(database_url) as conn:
        logged(conn, late)
        projected(conn, late, [4])
        for moment in moments(late):
            expected = by_hand(ENROLLMENT_LISTING, late, moment)
            assert rows_of(AsOf(conn, moment, CODEC), ENROLLMENT_LISTING) == expected


def lag(conn: Connection, position: int) -> None:
    change = SQL("UPDATE {} SET position = %s").format(Identifier(LIVE, "progress"))
    conn.execute(change, [position - 1])


def park_last(conn: Connection, position: int) -> None:
    ada = str(Enrollment.id_of(PROGRAM_ID, "ada"))
    parked.park(conn, LIVE, ENROLLMENT_HISTORY.name, [Held(ada, position, ValueError())])


def skip_last(conn: Connection, position: int) -> None:
    repairs.add(
        conn,
        repairs.Repair(
            actor="op",
            action="skip",
            table_name=ENROLLMENT_HISTORY.name,
            key=str(Enrollment.id_of(PROGRAM_ID, "ada")),
            position=position,
            reason="a test",
            applied=0,
            still_parked=0,
        ),
    )


@pytest.mark.parametrize("left_out", [lag, park_last, skip_last])
def test_a_row_of_the_past_shows_no_event_that_its_history_has_not_applied(
    database_url: str, left_out: Callable[[Connection, int], None]
) -> None:
    steps = [("ada", "enroll", 0), *(("ada", "progress", percent) for percent in (10, 20, 30))]
    events = history(steps)
    with open_connection(database_url) as conn:
        logged(conn, events)
        projected(conn, events, [])
        at = datetime.now(UTC)
        now = AsOf(conn, Moment(at, at), CODEC)
        [row] = rows_of(now, ENROLLMENT_LISTING).values()
        left_out(conn, len(events))
        [before] = rows_of(now, ENROLLMENT_LISTING).values()
    assert (row.percent, before.percent) == (30, 20)


def test_a_table_without_a_history_is_refused_rather_than_shown_as_it_is_now(
    database_url: str,
) -> None:
    with open_connection(database_url) as conn, pytest.raises(NoHistoryError):
        AsOf(conn, NOW, CODEC).execute("SELECT position FROM rollbook_read.progress")


def test_a_history_has_no_text_and_what_is_erased_is_shown_in_no_state(
    database_url: str,
) -> None:
    program = TrainingProgram.blank(PROGRAM_ID)
    program.create(ProgramDetails(code="P", title="Safety"), ACT)
    enrollments = [Enrollment.blank(Enrollment.id_of(PROGRAM_ID, e)) for e in ("ada", "ben")]
    for one, employee in zip(enrollments, ("ada", "ben"), strict=True):
        for grade in (f"{employee} once", f"{employee} twice"):
            terms: dict[str, Any] = {"source": Source.SELF, "due_on": None, "department": None}
            one.enroll(program, employee, ACT, waiting=False, **terms)
            one.complete(program, ACT, 90.0, grade, None)
            one.void_completion(ACT)
            one.complete(program, ACT, 80.0, grade, None)
    enrollments[0].erase_text(Act(ACT.provenance))
    ada = enrollments[0].id
    events: list[Any] = [event for one in enrollments for event in one.collect_events()]
    late = told_late(events, [(1, 5 * (n % 3)) for n in range(len(events))])
    with open_connection(database_url) as conn:
        logged(conn, late)
        projected(conn, late, [len(events) // 2 - 1])
        rows = conn.execute("SELECT h::text FROM rollbook_read.enrollment_history h").fetchall()
        text = "".join(row for (row,) in rows)
        assert "once" not in text
        assert "twice" not in text
        with psycopg.connect(database_url) as owner:
            destroy_key(owner, "ada")
        for moment in moments(late):
            expected = by_hand(ENROLLMENT_LISTING, late, moment)
            if ada in expected:
                expected[ada] = without_text(expected[ada])
            assert rows_of(AsOf(conn, moment, CODEC), ENROLLMENT_LISTING) == expected


def test_a_row_may_come_back_at_the_moment_it_went_in_a_batch_that_is_copied(
    database_url: str,
) -> None:
    waitlisted: Any = full(TrainingProgram.EmployeeWaitlisted)
    left: Any = full(TrainingProgram.EmployeeLeftWaitlist)
    all_wait = [replace(waitlisted, employee_id=f"e{n}") for n in range(COPIED_ROWS)]
    one_leaves = [all_wait[0], replace(left, employee_id="e0")]
    events = [
        replace(event, originator_version=version)
        for version, event in enumerate([*one_leaves, *all_wait], start=1)
    ]
    with open_connection(database_url) as conn:
        logged(conn, events)
        projected(conn, events, [len(one_leaves)])
        parked = conn.execute("SELECT * FROM rollbook_read.parked").fetchall()
        waiting = conn.execute("SELECT count(*) FROM rollbook_read.waiting_history").fetchall()
    assert (parked, waiting) == ([], [(COPIED_ROWS,)])
