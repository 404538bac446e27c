"""The directory of employees over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from api.conditions import ABSENT_VERSION, require_expected
from api.employee_reads import employees
from api.employee_shapes import EmployeeBody, EmployeePatch, EmployeeShape
from api.etags import ETAG, etag_of
from api.merging import merged
from api.problems import FieldError, invalid, not_found
from api.services import services
from api.wire import Answer, answer
from directory.employees import Employee
from domain.permissions import Permission

__all__ = ["employees"]


@employees.command(
    "PUT",
    "/employees/<employee:employee_id>",
    Permission.WRITE_DIRECTORY,
    body=EmployeeBody,
    is_recorded=False,
    answers={HTTPStatus.OK: EmployeeShape, HTTPStatus.CREATED: EmployeeShape},
)
def put_employee(body: Mapping[str, Any], employee_id: str) -> Answer:
    """Enter an employee into the directory, or replace the entry.

    What the body leaves out is reset.
    """
    _require_same_id(body, employee_id)

    def replaced(before: Employee | None) -> Employee:
        require_expected(before.version if before else ABSENT_VERSION)
        return Employee(**{**body, "id": employee_id})

    before, after = services().employees.change(employee_id, replaced)
    return _answer(after, HTTPStatus.OK if before else HTTPStatus.CREATED)


@employees.command(
    "PATCH",
    "/employees/<employee:employee_id>",
    Permission.WRITE_DIRECTORY,
    body=EmployeePatch,
    is_recorded=False,
    answers={HTTPStatus.OK: EmployeeShape},
)
def amend_employee(patch: Mapping[str, Any], employee_id: str) -> Answer:
    """Change some of an employee's entry.

    What the body leaves out stays, and what is null is reset.
    """
    _require_same_id(patch, employee_id)

    def amended(before: Employee | None) -> Employee:
        if before is None:
            raise not_found("employee", employee_id)
        require_expected(before.version)
        return Employee(**merged(EmployeeBody, asdict(before), {**patch, "id": employee_id}))

    _, after = services().employees.change(employee_id, amended)
    return _answer(after)


def _require_same_id(body: Mapping[str, Any], employee_id: str) -> None:
    if body.get("id") not in {None, employee_id}:
        raise invalid([FieldError("id", "must be the one in the path")])


def _answer(employee: Employee, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    services().sight.outlive()
    return answer(employee, status, headers={ETAG: etag_of(employee.version)})
