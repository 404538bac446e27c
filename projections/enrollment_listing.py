"""The listing of enrollments, and the counts that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from operator import attrgetter
from uuid import UUID

from projections.enrollment_evolving import EVENTS, evolve
from projections.enrollment_row import EnrollmentRow
from projections.table import ReadTable, Summary

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

_COUNTS = {one: tuple(int(one == state) for state in COUNTED) for one in COUNTED}
_WITHDRAWN, _CANCELLED = _COUNTS["withdrawn"], _COUNTS["cancelled"]

_COUNTED_BY = ("status", "started_at")


def _counted_as(row: EnrollmentRow) -> tuple[int, ...]:
    counted = _COUNTS[row.status]
    if counted is _WITHDRAWN and row.started_at is None:
        return _CANCELLED
    return counted


ENROLLMENT_COUNTS = Summary[EnrollmentRow](
    name="enrollment_counts",
    key={"program_id": UUID, "department": str},
    amounts=COUNTED,
    contribution=lambda row: ((row.program_id, row.department or ""), _counted_as(row)),
    told_by=("program_id", "department", *_COUNTED_BY),
)


def _by_day(
    name: str, told_by: str, day: Callable[[EnrollmentRow], date | None]
) -> Summary[EnrollmentRow]:
    """Return the counts by the department and a day in UTC, as all times of rows are.

    A row without that day adds nothing. Those of all departments are added up by day as well.
    """

    def contribution(row: EnrollmentRow) -> tuple[tuple[object, ...], tuple[int, ...]] | None:
        on = day(row)
        return None if on is None else ((row.department or "", on), _counted_as(row))

    return Summary(
        name,
        {"department": str, "day": date},
        COUNTED,
        contribution,
        (told_by, "department", *_COUNTED_BY),
        total=f"{name}_of_all",
    )


ENROLLMENTS_BY_BEGINNING = _by_day(
    "enrollments_by_beginning", "began_at", lambda row: row.began_at.date()
)
ENROLLMENTS_BY_DUE_DAY = _by_day("enrollments_by_due_day", "due_on", lambda row: row.due_on)
ENROLLMENTS_BY_END = _by_day(
    "enrollments_by_end", "ended_at", lambda row: row.ended_at and row.ended_at.date()
)


ENROLLMENTS_BY_SCORE = Summary[EnrollmentRow](
    name="enrollments_by_score",
    key={"score_hundredths": int},
    amounts=COUNTED,
    contribution=lambda row: (
        None if row.score_percent is None else ((round(row.score_percent * 100),), _counted_as(row))
    ),
    told_by=("score_percent", *_COUNTED_BY),
)


def _score(row: EnrollmentRow) -> tuple[tuple[object, ...], tuple[int, ...]] | None:
    best = row.best_score_percent
    return None if best is None else ((row.employee_id,), (1, round(best * 100)))


EMPLOYEE_SCORES = Summary[EnrollmentRow](
    name="employee_scores",
    key={"employee_id": str},
    amounts=("programs", "score_hundredths"),
    contribution=_score,
    told_by=("employee_id", "status", "score_percent", "past_score_percent"),
)


ENROLLMENT_LISTING = ReadTable(
    name="enrollment_listing",
    row=EnrollmentRow,
    key="id",
    keys=dict.fromkeys(EVENTS, attrgetter("originator_id")),
    evolve=evolve,
    # Each begins with what lists are filtered by, and goes on with an order. What changes with
    # every progress is in none of them, so that such a change stays within its page. The column
    # behind an expression is in the index as well: only then can it be walked without the table.
    # So is the employee, by whom what is otherwise alike is sorted. What a program and a
    # department have together is few, and sorted in any but the usual order, so that one index
    # is enough.
    indexes=(
        f"(status, {BEGAN}, id) INCLUDE (employee_id)",
        f"(program_id, status, {BEGAN}, id) INCLUDE (employee_id)",
        f"(department, status, {BEGAN}, id) INCLUDE (employee_id)",
        f"(program_id, department, {BEGAN}, id) INCLUDE (status, due_on, ended_at, employee_id)",
        f"(employee_id, {BEGAN}, id)",
        f"(status, ({DUE}), id) INCLUDE (due_on, employee_id)",
        f"(program_id, status, ({DUE}), id) INCLUDE (due_on, employee_id)",
        f"(department, status, ({DUE}), id) INCLUDE (due_on, employee_id)",
        f"(status, ({ENDED}), id) INCLUDE (ended_at, employee_id)",
        f"(program_id, status, ({ENDED}), id) INCLUDE (ended_at, employee_id)",
        f"(department, status, ({ENDED}), id) INCLUDE (ended_at, employee_id)",
        "(program_id, employee_id, id)",
        "(status, score_percent, id) WHERE score_percent IS NOT NULL",
        "(program_id, score_percent, id) WHERE score_percent IS NOT NULL",
        "(department, score_percent, id) WHERE score_percent IS NOT NULL",
    ),
    summaries=(
        ENROLLMENT_COUNTS,
        ENROLLMENTS_BY_BEGINNING,
        ENROLLMENTS_BY_DUE_DAY,
        ENROLLMENTS_BY_END,
        ENROLLMENTS_BY_SCORE,
        EMPLOYEE_SCORES,
    ),
    begins=lambda event: event.originator_version == 1,
    definition=5,
)
