"""How many enrollments there are, told from the counts without looking at any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from domain.enrollment import OPEN, EnrollmentStatus
from projections.conditions import Conditions
from projections.count import Count, sum_by_levels, sum_of
from projections.levels import HUNDREDTHS, MONTHS, PERCENTS
from projections.names import LIVE
from projections.ranges import Range, day_before

_BY = {
    "began": ("enrollments_by_beginning", MONTHS),
    "due": ("enrollments_by_due_day", MONTHS),
    "ended": ("enrollments_by_end", MONTHS),
    "score": ("enrollments_by_score", PERCENTS),
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
    overdue: bool | None,
    today: date,
    ranges: Mapping[str, Range],
) -> Count | None:
    """Return how many there are, or None where no table of counts is that fine.

    By program, department and status the counts know all; by one range the status, and the
    program or the department.
    """
    conditions = Conditions()
    conditions.add_any("department", departments)
    conditions.add_any("program_id", program_ids)
    if not ranges:
        total = _sum("enrollment_counts", statuses, conditions)
        if overdue is None:
            return total
        late = _overdue(statuses, program_ids, departments, today)
        return None if late is None else total - late
    is_too_fine = program_ids is not None and departments is not None
    if len(ranges) > 1 or is_too_fine or overdue is not None:
        return None
    [(name, wanted)] = ranges.items()
    table, levels = _BY[name]
    if name == "score":
        ends = (wanted.least, wanted.most)
        wanted = Range(*(None if end is None else round(end * HUNDREDTHS) for end in ends))
    if program_ids is not None:
        table = f"{LIVE}.{table}_in_programs"
        return sum_by_levels(_amounts(statuses), table, conditions, levels, wanted)
    wanted.add_to(conditions, levels.fine)
    return _sum(table if departments is None else f"{table}_in_departments", statuses, conditions)


def _overdue(
    statuses: Sequence[str] | None,
    program_ids: Sequence[UUID] | None,
    departments: Sequence[str] | None,
    today: date,
) -> Count | None:
    return known_total(
        statuses=[one for one in OPEN if statuses is None or one in statuses],
        program_ids=program_ids,
        departments=departments,
        overdue=None,
        today=today,
        ranges={"due": Range(most=day_before(today))},
    )


def _sum(table: str, statuses: Sequence[str] | None, conditions: Conditions) -> Count:
    return sum_of(_amounts(statuses), f"{LIVE}.{table}", conditions)


def _amounts(statuses: Sequence[str] | None) -> str:
    """Return what is counted of these statuses, as SQL."""
    wanted = EnrollmentStatus if statuses is None else map(EnrollmentStatus, statuses)
    return " + ".join(_COUNTED_AS[status] for status in dict.fromkeys(wanted)) or "0"
