"""Reading the directory of employees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from api.caching import resource_answer
from api.employee_shapes import EmployeeShape
from api.enrollment_shapes import MAX_EMPLOYEE_ID_LENGTH
from api.lists import list_answer
from api.parameters import (
    ABSENT,
    FlagParameter,
    ListParameters,
    SearchParameter,
    SortParameter,
    TextsParameter,
)
from api.problems import not_found
from api.resource import Resource
from api.selection import Showing
from api.shapes import listed, shown
from api.wire import Answered
from domain.permissions import Permission
from domain.program_details import MAX_NAME_LENGTH
from projections.employee_queries import (
    EMPLOYEES,
    EmployeeFilter,
    count_employees,
    find_employee,
)
from projections.keyset import Order

BY_NAME = Order("name", descending=False)
ShownEmployee = shown(EmployeeShape, "ShownEmployee")
SHOWING = Showing(EMPLOYEES, ShownEmployee)

employees = Resource("employees", "Who works here. Kept outside the log, so that it can be erased.")


class EmployeeParameters(ListParameters):
    """Which employees are wanted, and in which order."""

    department = TextsParameter(MAX_NAME_LENGTH, **ABSENT)
    manager = TextsParameter(MAX_EMPLOYEE_ID_LENGTH, **ABSENT)
    active = FlagParameter(**ABSENT)
    q = SearchParameter("name and id")
    sort = SortParameter(EMPLOYEES.sorts, "name")


@employees.query(
    "/employees",
    Permission.READ_DIRECTORY,
    answer=listed(ShownEmployee, "EmployeeList"),
    parameters=SHOWING.parameters(EmployeeParameters),
    is_cached=True,
)
def get_employees(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answered:
    """List employees."""
    wanted = EmployeeFilter(
        departments=parameters["department"],
        managers=parameters["manager"],
        active=parameters["active"],
        search=parameters["q"],
    ).settled(conn)
    orders = parameters["sort"] or [BY_NAME]
    return list_answer(
        conn,
        parameters,
        SHOWING,
        wanted.conditions_for(orders),
        count_employees(wanted),
        BY_NAME,
    )


@employees.query(
    "/employees/<employee:employee_id>",
    Permission.READ_DIRECTORY,
    answer=ShownEmployee,
    parameters=SHOWING.parameters(),
)
def get_employee(
    conn: Connection[Any], parameters: Mapping[str, Any], employee_id: str
) -> Answered:
    """Show an employee."""
    selection = SHOWING.select(parameters)
    found = find_employee(conn, [*selection.columns, "version"], employee_id)
    if found is None:
        raise not_found("employee", employee_id)
    *row, version = found
    [document] = selection.documents(conn, [row])
    return resource_answer(document, version)
