"""Who completed last, and who does best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.conditions import Conditions
from projections.enrollment_queries import ENROLLMENTS
from projections.keyset import Order, Window
from projections.outcomes import Figure

# Ranks depend only on those before, so the first ones are found before they are ranked. The
# quotients of whole numbers as small as these are equal as floats where they are equal.
_TOP = """
    SELECT t.ranked, t.fewer, t.rank, t.employee_id, m.name, m.department, t.programs,
           t.score_hundredths
    FROM (
        WITH scores AS MATERIALIZED (
            SELECT employee_id, programs, score_hundredths,
                   score_hundredths::double precision / programs AS mean
            FROM rollbook_read.employee_scores WHERE programs > 0
        ), counted AS (
            SELECT count(*) FILTER (WHERE programs >= %s) AS ranked,
                   count(*) FILTER (WHERE programs < %s) AS fewer
            FROM scores
        ), first AS (
            SELECT employee_id, programs, score_hundredths, mean
            FROM scores WHERE programs >= %s ORDER BY mean DESC, employee_id LIMIT %s
        )
        SELECT c.ranked, c.fewer, rank() OVER (ORDER BY f.mean DESC) AS rank, f.employee_id,
               f.programs, f.score_hundredths
        FROM counted c LEFT JOIN first f ON true
    ) t
    LEFT JOIN rollbook.employees m ON m.id = t.employee_id
    ORDER BY t.rank, t.employee_id
"""


@dataclass(frozen=True, slots=True)
class Completion:
    """One completed enrollment, with its program and employee by name."""

    enrollment_id: UUID
    program_id: UUID
    program_code: str | None
    program_title: str | None
    employee_id: str
    employee_name: str | None
    department: str | None
    score_percent: float | None
    grade: str | None
    certificate_number: str | None
    completed_at: datetime


_COMPLETION = tuple(
    {"enrollment_id": "id", "completed_at": "ended_at"}.get(one.name, one.name)
    for one in fields(Completion)
)
_LATEST_FIRST = ENROLLMENTS.in_full([Order("ended_at", descending=True)])


def _completed() -> Conditions:
    conditions = Conditions()
    conditions.add("r.status = 'completed'")
    return conditions


@dataclass(frozen=True, slots=True)
class Performer:
    """An employee by the mean of the best score in each program; ties share a rank."""

    rank: int
    employee_id: str
    employee_name: str | None
    department: str | None
    programs: int
    mean_score_percent: Figure


@dataclass(frozen=True, slots=True)
class TopPerformers:
    """The first of the ranking, how many it ranks, and how many have too few programs for it."""

    performers: Sequence[Performer]
    ranked: int
    with_fewer_programs: int


def recent_completions(conn: Connection[Any], limit: int) -> list[Completion]:
    """Return the `limit` enrollments that were completed last, the latest first."""
    page = ENROLLMENTS.page(conn, _COMPLETION, _completed(), Window(_LATEST_FIRST, limit))
    return [Completion(*values) for values in page.rows]


def top_performers(conn: Connection[Any], min_programs: int, limit: int) -> TopPerformers:
    """Return the first `limit` of the employees with scores in at least `min_programs`."""
    values = (min_programs, min_programs, min_programs, limit)
    found = conn.execute(_TOP, values).fetchall()
    ranked, fewer = found[0][:2]
    performers = [_performer(*row[2:]) for row in found if row[3] is not None]
    return TopPerformers(performers, ranked, fewer)


def _performer(
    rank: int,
    employee_id: str,
    name: str | None,
    department: str | None,
    programs: int,
    score_hundredths: int,
) -> Performer:
    mean = Figure.of(score_hundredths / 100, programs)
    return Performer(rank, employee_id, name, department, programs, mean)
