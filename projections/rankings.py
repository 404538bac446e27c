"""Who completed last, and who does best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.outcomes import Figure

_RECENT = """
    SELECT e.id, e.program_id, p.code, p.title, e.employee_id, m.name, e.department,
           e.score_percent, e.grade, e.certificate_number, e.ended_at
    FROM (
        SELECT id, program_id, employee_id, department, score_percent, grade,
               certificate_number, ended_at
        FROM rollbook_read.enrollment_listing
        WHERE status = 'completed'
        ORDER BY coalesce(ended_at, '9999-12-31 00:00:00+00'::timestamptz) DESC, id DESC LIMIT %s
    ) e
    LEFT JOIN rollbook_read.program_listing p ON p.id = e.program_id
    LEFT JOIN rollbook.employees m ON m.id = e.employee_id
    ORDER BY e.ended_at DESC, e.id DESC
"""
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
    return [Completion(*values) for values in conn.execute(_RECENT, (limit,))]


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
