"""The directory for imports: many employees at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import Any

from psycopg import Connection

from directory.employees import COLUMNS, Employee
from directory.erasing import erased_among

# The columns are constants.
_ADD_MISSING = f"""
INSERT INTO rollbook.employees ({COLUMNS})
SELECT {COLUMNS} FROM arriving
WHERE id NOT IN (SELECT employee_id FROM rollbook.personal_keys WHERE key IS NULL)
ON CONFLICT (id) DO NOTHING
"""  # noqa: S608


def add_missing(conn: Connection[Any], employees: Iterable[Employee]) -> int:
    """Add those of `employees` that nobody knows yet; return how many they were.

    The entries that are there stay as they are, and those who were erased are left
    out. It is one transaction, and the employees are streamed.
    """
    with conn.transaction():
        conn.execute("CREATE TEMP TABLE arriving (LIKE rollbook.employees) ON COMMIT DROP")
        with conn.cursor().copy(f"COPY arriving ({COLUMNS}) FROM STDIN") as copy:
            for employee in employees:
                copy.write_row(astuple(employee))
        erased_among(conn, ())
        return conn.execute(_ADD_MISSING).rowcount
