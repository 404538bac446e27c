"""The directory of employees, many at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from directory.employees import Employee, Employees
from eventlog.pool import Pool


class Staff:
    """Everybody in the directory."""

    def __init__(self, pool: Pool) -> None:
        """Use connections of `pool`."""
        self._employees = Employees(pool)

    def find_many(self, employee_ids: Collection[str]) -> Mapping[str, Employee]:
        """Return the employees with these ids, by id; those whom nobody knows are left out."""
        return self._employees.find_many(employee_ids)

    def erased(self, employee_ids: Collection[str]) -> set[str]:
        """Return those who were erased, and so can have no entry."""
        return self._employees.erased(employee_ids)

    def put_many(self, employees: Sequence[Employee]) -> None:
        """Store the employees, replacing older entries."""
        self._employees.put_many(employees)
