"""An employee's transcript: every cycle in every program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from psycopg import Connection

from projections.conditions import Conditions
from projections.enrollment_queries import ENROLLMENTS

_ABOUT = ("id", "program_id", "program_code", "program_title", "program_category")
_CYCLE = (
    "cycle",
    "status",
    "source",
    "department",
    "program_revision",
    "due_on",
    "percent",
    "score_percent",
    "grade",
    "certificate_number",
    "began_at",
    "enrolled_at",
    "started_at",
    "ended_at",
)
_COLUMNS = (*_ABOUT, *_CYCLE, "past_cycles")


def transcript(conn: Connection[Any], employee_id: str) -> list[Mapping[str, Any]]:
    """Return the cycles of the employee, each with its program: by program, then by number.

    An employee is in a program once, so they are no more than there are programs and
    repetitions of them.
    """
    conditions = Conditions()
    conditions.add("r.employee_id = %s", employee_id)
    rows = ENROLLMENTS.rows(conn, _COLUMNS, conditions)
    began = _COLUMNS.index("began_at")
    return [cycle for row in sorted(rows, key=lambda row: row[began]) for cycle in _cycles(row)]


def _cycles(row: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    found = dict(zip(_COLUMNS, row, strict=True))
    about = {"enrollment_id": found["id"], **{name: found[name] for name in _ABOUT[1:]}}
    for past in found["past_cycles"]:
        yield about | {name: past[name] for name in _CYCLE}
    yield about | {name: found[name] for name in _CYCLE}
