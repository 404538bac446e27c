"""How many enrollments there are, told from the counts without looking at any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.enrollment import OPEN, EnrollmentStatus
from projections.as_of import is_known
from projections.conditions import Conditions
from projections.count import NOTHING, Count, sum_of
from projections.enrollment_listing import NEVER
from projections.names import LIVE
from projections.ranges import Range, day_before

_BY_DAY = {
    "began": "enrollments_by_beginning",
    "due": "enrollments_by_due_day",
    "ended": "enrollments_by_end",
}
HUNDREDTHS = 100

# A withdrawn enrollment is counted as cancelled when it never started.
_COUNTED_AS = {status: str(status) for status in EnrollmentStatus} | {
    EnrollmentStatus.WITHDRAWN: "withdrawn + cancelled"
}


def known_total(
    conn: Connection[Any],
    *,
    statuses: Sequence[str] | None,
    program_ids: Sequence[UUID] | None,
    departments: Sequence[str] | None,
    overdue: bool | None,
    today: date,
    ranges: Mapping[str, Range],
) -> Count | None:
    """Return how many there are, or None where no table of counts is that fine.

    By program, department and status the counts know all; by one range of days the
    department and status; by a range of scores the status alone.
    """
    conditions = Conditions()
    conditions.add_any("department", departments)
    if not ranges:
        conditions.add_any("program_id", program_ids)
        total = _sum("enrollment_counts", statuses, conditions)
        if overdue is None:
            return total
        late = _overdue(conn, statuses, departments, today) if program_ids is None else None
        return None if late is None else total - late
    if len(ranges) > 1 or program_ids is not None or overdue is not None:
        return None
    [(name, wanted)] = ranges.items()
    if name in _BY_DAY:
        wanted.add_to(conditions, "day")
        conditions.add(f"day < {NEVER}")
        by_day, of_all = _BY_DAY[name], f"{_BY_DAY[name]}_of_all"
        is_of_all = departments is None and is_known(conn, of_all)
        return _sum(of_all if is_of_all else by_day, statuses, conditions)
    if departments is not None:
        return None
    # Scores have two decimals at most.
    ends = (wanted.least, wanted.most)
    least, most = (None if end is None else round(end * HUNDREDTHS) for end in ends)
    Range(least, most).add_to(conditions, "score_hundredths")
    return _sum("enrollments_by_score", statuses, conditions)


def _overdue(
    conn: Connection[Any],
    statuses: Sequence[str] | None,
    departments: Sequence[str] | None,
    today: date,
) -> Count | None:
    return known_total(
        conn,
        statuses=[one for one in OPEN if statuses is None or one in statuses],
        program_ids=None,
        departments=departments,
        overdue=None,
        today=today,
        ranges={"due": Range(most=day_before(today))},
    )


def _sum(table: str, statuses: Sequence[str] | None, conditions: Conditions) -> Count:
    wanted = (
        EnrollmentStatus if statuses is None else dict.fromkeys(map(EnrollmentStatus, statuses))
    )
    if not wanted:
        return NOTHING
    amounts = " + ".join(_COUNTED_AS[status] for status in wanted)
    return sum_of(amounts, f"{LIVE}.{table}", conditions)
