"""Finding the programs and employees that a search is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.program_listing import WORDS

MAX_PROGRAMS = 100
MAX_EMPLOYEES = 500

_PROGRAMS = f"""
SELECT id FROM rollbook_read.program_listing WHERE {WORDS} @@ to_tsquery('simple', %s) LIMIT %s
"""  # noqa: S608  # a constant
_EMPLOYEES = """
SELECT id FROM rollbook.employees WHERE words @@ to_tsquery('simple', %s) LIMIT %s
"""


class TooManyMatches(Exception):
    """The search is about more than what can be looked up one by one: `most` of `kind`."""

    def __init__(self, kind: str, most: int) -> None:
        super().__init__(f"More than {most} {kind} match.")
        self.kind = kind
        self.most = most


@dataclass(frozen=True, slots=True)
class Matches:
    """The programs and the employees of whom all words of a search tell."""

    programs: Sequence[UUID]
    employees: Sequence[str]


def search(conn: Connection[Any], query: str) -> Matches:
    """Return what the tsquery `query` is about. Raises `TooManyMatches`."""
    return Matches(
        _ids(conn, _PROGRAMS, query, "programs", MAX_PROGRAMS),
        _ids(conn, _EMPLOYEES, query, "employees", MAX_EMPLOYEES),
    )


def _ids(conn: Connection[Any], sql: str, query: str, kind: str, most: int) -> list[Any]:
    found = conn.execute(sql, (query, most + 1)).fetchall()
    if len(found) > most:
        raise TooManyMatches(kind, most)
    return [row[0] for row in found]
