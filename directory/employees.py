"""The table of employees. Events hold the id alone; everything else about a person is here."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from psycopg.rows import class_row

from directory.erasing import PersonErasedError, erased_among

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager

    from psycopg import Connection

COLUMNS = "id, name, email, department, manager, active, version"

# The columns are constants of this file.
_FIND = f"SELECT {COLUMNS} FROM rollbook.employees WHERE id = %s"  # noqa: S608
_FIND_MANY = f"SELECT {COLUMNS} FROM rollbook.employees WHERE id = ANY(%s)"  # noqa: S608
UPSERT = f"""
INSERT INTO rollbook.employees ({COLUMNS})
SELECT * FROM unnest(
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::integer[]
)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, email = excluded.email, department = excluded.department,
    manager = excluded.manager, active = excluded.active,
    version = employees.version + (
        (employees.name, employees.email, employees.department, employees.manager, employees.active)
        IS DISTINCT FROM
        (excluded.name, excluded.email, excluded.department, excluded.manager, excluded.active)
    )::integer
RETURNING version
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Employee:
    """One person: the id of the HR system, and what may be erased; `manager` is an id too.

    `version` is the table's: it begins with 1 and rises with every change.
    """

    id: str
    name: str | None = None
    email: str | None = None
    department: str | None = None
    manager: str | None = None
    active: bool = True
    version: int = 1


class Connections(Protocol):
    """Where a connection is to be had, such as a pool."""

    def connection(self) -> AbstractContextManager[Connection[Any]]:
        """Lend a connection."""


class Employees:
    """Reads and writes the table, a connection for each call."""

    def __init__(self, connections: Connections) -> None:
        """Use those of `connections`."""
        self._connections = connections

    def find_many(self, employee_ids: Collection[str]) -> dict[str, Employee]:
        """Return the employees with these ids, by id; those whom nobody knows are left out."""
        with (
            self._connections.connection() as conn,
            conn.cursor(row_factory=class_row(Employee)) as cursor,
        ):
            found = cursor.execute(_FIND_MANY, (list(employee_ids),)).fetchall()
        return {employee.id: employee for employee in found}

    def change(
        self, employee_id: str, change: Callable[[Employee | None], Employee]
    ) -> tuple[Employee | None, Employee]:
        """Store what `change` makes of the entry, None where there is none; return both.

        Nobody else changes it meanwhile. What `change` raises leaves it as it was.
        Raises `PersonErasedError`.
        """
        with self._connections.connection() as conn, conn.transaction():
            if erased_among(conn, [employee_id]):
                raise PersonErasedError(employee_id)
            # The row itself cannot be locked before it is there.
            name = f"rollbook.employees {employee_id}"
            conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
            with conn.cursor(row_factory=class_row(Employee)) as cursor:
                before = cursor.execute(f"{_FIND} FOR UPDATE", (employee_id,)).fetchone()
            after = change(before)
            ((version,),) = conn.execute(UPSERT, _columns([after])).fetchall()
        return before, replace(after, version=version)

    def erased(self, employee_ids: Collection[str]) -> set[str]:
        """Return those who were erased, and so can have no entry."""
        with self._connections.connection() as conn:
            return erased_among(conn, employee_ids)

    def put(self, employee: Employee) -> None:
        """Store the employee, replacing an older entry."""
        self.put_many([employee])

    def put_many(self, employees: Sequence[Employee]) -> None:
        """Store many at once, replacing older entries; those who were erased are left out.

        Of two with the same id the later one counts.
        """
        latest = {employee.id: employee for employee in employees}
        with self._connections.connection() as conn, conn.transaction():
            wanted = latest.keys() - erased_among(conn, list(latest))
            if wanted:
                # In order, so that no two who store the same wait for each other in a ring.
                conn.execute(UPSERT, _columns([latest[one] for one in sorted(wanted)]))


def _columns(employees: Sequence[Employee]) -> list[list[object]]:
    rows = [astuple(employee) for employee in employees]
    return [list(column) for column in zip(*rows, strict=True)]
