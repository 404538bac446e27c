"""What enrolling asks of the directory of employees, which is kept outside the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from domain.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Employee(Protocol):
    """An employee as far as enrolling cares."""

    @property
    def department(self) -> str | None:
        """Where the employee works now."""

    @property
    def active(self) -> bool:
        """Whether the employee can take part in training."""


class Directory(Protocol):
    """Who works here."""

    def find_many(self, employee_ids: Collection[str]) -> Mapping[str, Employee]:
        """Return the employees with these ids, by id; those whom nobody knows are left out."""


class PersonalData(Protocol):
    """What is kept of people outside of the log."""

    def erase(self, employee_id: str) -> None:
        """Erase what is kept of the employee, for ever, in the open transaction."""


class UnknownEmployeeError(InvalidValueError):
    """Nobody in the directory has this id."""

    code = "unknown_employee"

    def __init__(self, employee_id: str) -> None:
        super().__init__("employee_id", f"must be in the directory, and {employee_id} is not")
        self.employee_id = employee_id


class InactiveEmployeeError(InvalidValueError):
    """The employee is in the directory, but not active."""

    code = "inactive_employee"

    def __init__(self, employee_id: str) -> None:
        super().__init__(
            "employee_id", f"must be of an active employee, and {employee_id} is not active"
        )
        self.employee_id = employee_id


def require_active(known: Mapping[str, Employee], employee_id: str) -> Employee:
    """Return the employee among the `known` ones, by id.

    Raises `UnknownEmployeeError` or `InactiveEmployeeError`.
    """
    employee = known.get(employee_id)
    if employee is None:
        raise UnknownEmployeeError(employee_id)
    if not employee.active:
        raise InactiveEmployeeError(employee_id)
    return employee
