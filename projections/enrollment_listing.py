"""The listing of enrollments, and the counts that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from operator import attrgetter
from uuid import UUID

from projections.enrollment_evolving import EVENTS, evolve
from projections.enrollment_row import EnrollmentRow
from projections.steps import first_of_month, month_in_sql, percent_from, utc_day_in_sql
from projections.table import Contribution, InSql, ReadTable, Summary

BEGAN = "began_at"
DUE = "coalesce(due_on, '9999-12-31'::date)"
ENDED = "coalesce(ended_at, '9999-12-31 00:00:00+00'::timestamptz)"
"""What enrollments are ordered by, as SQL that is never null."""
NEVER = "'9999-12-31 00:00:00+00'"
"""The day and the moment that stand for none in an order."""

COUNTED = (
    "waitlisted",
    "enrolled",
    "in_progress",
    "completed",
    "failed",
    "withdrawn",
    "cancelled",
)
"""The states that are counted. `cancelled` is withdrawn without ever having started."""

HUNDREDTHS = 100
"""Of a percent: scores have two decimals at most."""

BEST_SCORE = "greatest(CASE WHEN status = 'completed' THEN score_percent END, past_score_percent)"
"""The best final score over all completed cycles, as SQL; `greatest` passes over nulls."""

_COUNTS = {one: tuple(int(one == state) for state in COUNTED) for one in COUNTED}
_WITHDRAWN, _CANCELLED = _COUNTS["withdrawn"], _COUNTS["cancelled"]

_COUNTED_BY = ("status", "started_at")
_COUNTED_IN_SQL = {state: f"status = '{state}'" for state in COUNTED} | {
    "withdrawn": "status = 'withdrawn' AND started_at IS NOT NULL",
    "cancelled": "status = 'withdrawn' AND started_at IS NULL",
}
_AMOUNTS_IN_SQL = {
    state: f"count(*) FILTER (WHERE {counted})" for state, counted in _COUNTED_IN_SQL.items()
}
_PLACE_IN_SQL = {"program_id": "program_id", "department": "coalesce(department, '')"}


def _counted_as(row: EnrollmentRow) -> tuple[int, ...]:
    counted = _COUNTS[row.status]
    if counted is _WITHDRAWN and row.started_at is None:
        return _CANCELLED
    return counted


def _by_day(
    name: str,
    told_by: str,
    contribution: Callable[[EnrollmentRow], Contribution | None],
    day_in_sql: str,
    also: Mapping[str, tuple[str, ...]] | None = None,
) -> Summary[EnrollmentRow]:
    return Summary(
        name,
        {"program_id": UUID, "department": str, "month": date, "day": date},
        COUNTED,
        contribution,
        (told_by, "program_id", "department", *_COUNTED_BY),
        InSql(
            _PLACE_IN_SQL | {"month": month_in_sql(day_in_sql), "day": day_in_sql},
            _AMOUNTS_IN_SQL,
            among=f"{told_by} IS NOT NULL",
        ),
        rollups={
            name: ("day",),
            f"{name}_in_departments": ("department", "day"),
            # Programs are many: of one there are few on a day, so that most would have a row.
            f"{name}_in_programs": ("program_id", "month"),
            **(also or {}),
        },
    )


# All days are days in UTC, as all times of rows are.


def _by_beginning(row: EnrollmentRow) -> Contribution:
    on = row.began_at.date()
    return (row.program_id.int, row.department or "", first_of_month(on), on), _counted_as(row)


def _by_due_day(row: EnrollmentRow) -> Contribution | None:
    on = row.due_on
    if on is None:
        return None
    return (row.program_id.int, row.department or "", first_of_month(on), on), _counted_as(row)


def _by_end(row: EnrollmentRow) -> Contribution | None:
    if row.ended_at is None:
        return None
    on = row.ended_at.date()
    return (row.program_id.int, row.department or "", first_of_month(on), on), _counted_as(row)


def _by_score(row: EnrollmentRow) -> Contribution | None:
    score = row.score_percent
    if score is None:
        return None
    in_hundredths = round(score * HUNDREDTHS)
    place = row.program_id.int, row.department or "", percent_from(score), in_hundredths
    return place, _counted_as(row)


# Each has a beginning, so these have all there are.
ENROLLMENTS_BY_BEGINNING = _by_day(
    "enrollments_by_beginning",
    "began_at",
    _by_beginning,
    utc_day_in_sql(BEGAN),
    also={"enrollment_counts": ("program_id", "department")},
)
ENROLLMENTS_BY_DUE_DAY = _by_day("enrollments_by_due_day", "due_on", _by_due_day, "due_on")
ENROLLMENTS_BY_END = _by_day("enrollments_by_end", "ended_at", _by_end, utc_day_in_sql("ended_at"))
ENROLLMENTS_BY_SCORE = Summary[EnrollmentRow](
    name="enrollments_by_score",
    key={"program_id": UUID, "department": str, "percent_from": int, "hundredths": int},
    amounts=COUNTED,
    contribution=_by_score,
    told_by=("score_percent", "program_id", "department", *_COUNTED_BY),
    in_sql=InSql(
        _PLACE_IN_SQL
        | {
            "percent_from": "floor(score_percent / 5)::bigint * 5",
            "hundredths": f"round(score_percent * {HUNDREDTHS})::bigint",
        },
        _AMOUNTS_IN_SQL,
        among="score_percent IS NOT NULL",
    ),
    rollups={
        "enrollments_by_score": ("hundredths",),
        "enrollments_by_score_in_departments": ("department", "percent_from"),
        "enrollments_by_score_in_programs": ("program_id", "percent_from"),
    },
)


def _score(row: EnrollmentRow) -> Contribution | None:
    best = row.best_score_percent
    return None if best is None else ((row.employee_id,), (1, round(best * HUNDREDTHS)))


EMPLOYEE_SCORES = Summary[EnrollmentRow](
    name="employee_scores",
    key={"employee_id": str},
    amounts=("programs", "score_hundredths"),
    contribution=_score,
    told_by=("employee_id", "status", "score_percent", "past_score_percent"),
    in_sql=InSql(
        {"employee_id": "employee_id"},
        {
            "programs": "count(*)",
            "score_hundredths": f"sum(round({BEST_SCORE} * {HUNDREDTHS}))::bigint",
        },
        among=f"{BEST_SCORE} IS NOT NULL",
    ),
)


ENROLLMENT_LISTING = ReadTable(
    name="enrollment_listing",
    row=EnrollmentRow,
    key="id",
    keys=dict.fromkeys(EVENTS, attrgetter("originator_id.int")),
    evolve=evolve,
    # Each begins with what lists are filtered by, and goes on with an order. What changes with
    # every progress is in none of them, so that such a change stays within its page. The column
    # behind an expression is in the index as well: only then can it be walked without the table.
    # So is the employee, by whom what is otherwise alike is sorted. What a program and a
    # department have together is few, and sorted in any but the usual order, so that one index
    # is enough. What is alike is sorted by its beginning before its id: so a new row is written
    # behind all others that are alike, and not somewhere among them, as ids are in no order.
    indexes=(
        f"(status, {BEGAN}, id) INCLUDE (employee_id)",
        f"(program_id, status, {BEGAN}, id) INCLUDE (employee_id)",
        f"(department, status, {BEGAN}, id) INCLUDE (employee_id)",
        f"(program_id, department, {BEGAN}, id) INCLUDE (status, due_on, ended_at, employee_id)",
        f"(employee_id, {BEGAN}, id)",
        f"(status, ({DUE}), {BEGAN}, id) INCLUDE (due_on, employee_id)",
        f"(program_id, status, ({DUE}), {BEGAN}, id) INCLUDE (due_on, employee_id)",
        f"(department, status, ({DUE}), {BEGAN}, id) INCLUDE (due_on, employee_id)",
        f"(status, ({ENDED}), {BEGAN}, id) INCLUDE (ended_at, employee_id)",
        f"(program_id, status, ({ENDED}), {BEGAN}, id) INCLUDE (ended_at, employee_id)",
        f"(department, status, ({ENDED}), {BEGAN}, id) INCLUDE (ended_at, employee_id)",
        "(program_id, employee_id, id)",
        f"(status, score_percent, {BEGAN}, id) WHERE score_percent IS NOT NULL",
        f"(program_id, score_percent, {BEGAN}, id) WHERE score_percent IS NOT NULL",
        f"(department, score_percent, {BEGAN}, id) WHERE score_percent IS NOT NULL",
    ),
    summaries=(
        ENROLLMENTS_BY_BEGINNING,
        ENROLLMENTS_BY_DUE_DAY,
        ENROLLMENTS_BY_END,
        ENROLLMENTS_BY_SCORE,
        EMPLOYEE_SCORES,
    ),
    begins=lambda event: event.originator_version == 1,
    definition=6,
)
