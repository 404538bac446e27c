"""Figures over all programs and enrollments, from the counts and never from the lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.training_program import ProgramStatus
from projections.conditions import Conditions
from projections.outcomes import SUMS, Figure, Outcomes
from projections.ranges import day_before

EXPIRING_WITHIN_DAYS = 30

_PROGRAMS = "SELECT status, programs FROM rollbook_read.programs_by_status"
_FILL = """
    SELECT coalesce(sum(seats_taken) FILTER (WHERE capacity IS NOT NULL), 0)::bigint,
           coalesce(sum(capacity), 0)::bigint,
           count(*) FILTER (WHERE capacity IS NULL)
    FROM rollbook_read.program_listing
"""
_CERTIFICATES = """
    SELECT coalesce(sum(certificates) FILTER (WHERE status = 'issued'), 0)::bigint,
           coalesce(sum(certificates) FILTER (WHERE status = 'revoked'), 0)::bigint
    FROM rollbook_read.certificate_counts
"""
_ENDING = """
    SELECT count(*) FROM rollbook_read.certificate_register
    WHERE status = 'issued' AND coalesce(valid_until, '9999-12-31'::date) BETWEEN %s AND %s
"""
_OUTCOMES = f"SELECT {SUMS} FROM rollbook_read.enrollment_counts c"  # noqa: S608  # a constant
_OUTCOMES_BY_PROGRAM = (
    f"SELECT program_id, {SUMS} FROM rollbook_read.enrollment_counts GROUP BY program_id"  # noqa: S608
)
_BY_CATEGORY = f"""
    SELECT p.category, count(*), {SUMS}
    FROM rollbook_read.program_listing p
    LEFT JOIN ({_OUTCOMES_BY_PROGRAM}) c ON c.program_id = p.id
    GROUP BY p.category ORDER BY p.category NULLS LAST
"""  # noqa: S608  # made of constants


@dataclass(frozen=True, slots=True)
class CertificateCounts:
    """How many certificates there are: `issued` ever, and what became of them by now."""

    issued: int
    valid: int
    expired: int
    revoked: int
    expiring_within_30_days: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of training on one screen. `programs` is by status."""

    programs: dict[str, int]
    fill_rate: Figure
    outcomes: Outcomes
    certificates: CertificateCounts


@dataclass(frozen=True, slots=True)
class CategoryFigures:
    """What the programs of one category came to; the category None holds those without one."""

    category: str | None
    programs: int
    outcomes: Outcomes


def overview(conn: Connection[Any], today: date) -> Overview:
    """Return the figures over everything."""
    programs = dict.fromkeys(map(str, ProgramStatus), 0) | dict(conn.execute(_PROGRAMS).fetchall())
    taken, capacity, unlimited = _one(conn, _FILL)
    return Overview(
        programs=programs,
        fill_rate=Figure.of(taken, capacity, unlimited_programs=unlimited),
        outcomes=outcomes(conn),
        certificates=_certificates(conn, today),
    )


def outcomes(
    conn: Connection[Any],
    program_id: UUID | None = None,
    category: str | None = None,
    department: str | None = None,
) -> Outcomes:
    """Return what enrollments came to: in one program, category, department, or in all.

    The category is the program's as it is now, the department the employee's as it was
    when the cycle began.
    """
    conditions = Conditions()
    conditions.add_given("c.program_id = %s", program_id)
    conditions.add_given("c.department = %s", department)
    in_category = "SELECT id FROM rollbook_read.program_listing WHERE category = %s"
    conditions.add_given(f"c.program_id IN ({in_category})", category)
    return Outcomes(*_one(conn, f"{_OUTCOMES} WHERE {conditions.sql}", conditions.values))


def by_category(conn: Connection[Any]) -> list[CategoryFigures]:
    """Return the outcomes of each category, by name."""
    found = conn.execute(_BY_CATEGORY)
    return [CategoryFigures(name, programs, Outcomes(*sums)) for name, programs, *sums in found]


def _certificates(conn: Connection[Any], today: date) -> CertificateCounts:
    issued, revoked = _one(conn, _CERTIFICATES)
    (expired,) = _one(conn, _ENDING, (date.min, day_before(today)))
    soon = today + timedelta(days=EXPIRING_WITHIN_DAYS)
    (expiring,) = _one(conn, _ENDING, (today, soon))
    return CertificateCounts(
        issued=issued + revoked,
        valid=issued - expired,
        expired=expired,
        revoked=revoked,
        expiring_within_30_days=expiring,
    )


def _one(conn: Connection[Any], query: str, values: Sequence[object] = ()) -> Sequence[Any]:
    # An aggregate without GROUP BY always gives one row.
    (found,) = conn.execute(query, values).fetchall()
    return found  # type: ignore[no-any-return]  # rows are tuples of whatever the columns hold
