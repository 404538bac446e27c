"""How many enrollments there are, told from the counts without looking at any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from uuid import UUID

from domain.enrollment import EnrollmentStatus
from projections.conditions import Conditions
from projections.count import Count, count_by_steps, sum_of
from projections.enrollment_listing import HUNDREDTHS
from projections.names import LIVE
from projections.ranges import Range
from projections.steps import FIVES, MONTHS

_BY = {
    "began": "enrollments_by_beginning",
    "due": "enrollments_by_due_day",
    "ended": "enrollments_by_end",
    "score": "enrollments_by_score",
}

# A withdrawn enrollment is counted as cancelled when it never started.
_COUNTED_AS = {status: str(status) for status in EnrollmentStatus} | {
    EnrollmentStatus.WITHDRAWN: "withdrawn + cancelled"
}


def known_total(
    *,
    statuses: Sequence[str] | None,
    program_ids: Sequence[UUID] | None,
    departments: Sequence[str] | None,
    ranges: Mapping[str, Range],
    count_end: Callable[[Range], Count],
) -> Count | None:
    """Return how many there are, or None where no table of counts is that fine.

    By program, department and status the counts know all; by one range the status, and the
    program or the department. Some know whole months alone, or scores in steps: what is left at
    an end of the range is few, and counted by `count_end`.
    """
    if len(ranges) > 1 or (ranges and program_ids is not None and departments is not None):
        return None
    conditions = Conditions()
    conditions.add_any("department", departments)
    conditions.add_any("program_id", program_ids)
    amounts = _amounts(statuses)
    if not ranges:
        return sum_of(amounts, f"{LIVE}.enrollment_counts", conditions)

    [(name, wanted)] = ranges.items()
    table = f"{LIVE}.{_BY[name]}"
    if program_ids is not None:
        table = f"{table}_in_programs"
    elif departments is not None:
        table = f"{table}_in_departments"

    def count_where(column: str, wanted: Range) -> Count:
        narrower = conditions.copy()
        wanted.add_to(narrower, column)
        return sum_of(amounts, table, narrower)

    if name != "score":
        if program_ids is None:
            return count_where("day", wanted)
        days = wanted.up_to_the_next_day()
        return count_by_steps(MONTHS, days, partial(count_where, "month"), count_end)
    if program_ids is None and departments is None:
        ends = (wanted.least, wanted.most)
        in_hundredths = (None if end is None else round(end * HUNDREDTHS) for end in ends)
        return count_where("hundredths", Range(*in_hundredths))
    return count_by_steps(FIVES, wanted, partial(count_where, "percent_from"), count_end)


def _amounts(statuses: Sequence[str] | None) -> str:
    """Return what is counted of these statuses, as SQL."""
    wanted = EnrollmentStatus if statuses is None else map(EnrollmentStatus, statuses)
    return " + ".join(_COUNTED_AS[status] for status in dict.fromkeys(wanted)) or "0"
