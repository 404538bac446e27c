"""How employees are asked for. They are a table of the directory, not folded from events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection

from projections.as_of import ask
from projections.conditions import Conditions, Spread, Way
from projections.count import UNKNOWN, Count, sum_of
from projections.keyset import MAX_COUNTED, Listing, Order, Sort

FIELDS: Mapping[str, str] = {
    name: f"r.{name}"
    for name in ("id", "name", "email", "department", "manager", "active", "version")
}

EMPLOYEES = Listing(
    table="rollbook.employees",
    key="id",
    key_kind=str,
    fields=FIELDS,
    sorts={"id": Sort("r.id", str), "name": Sort("coalesce(r.name, '')", str)},
)


ID = Order("id", descending=False)


_FOUND = f"""
SELECT id FROM rollbook.employees WHERE words @@ to_tsquery('simple', %s)
LIMIT {MAX_COUNTED + 1}
"""  # noqa: S608  # a constant


@dataclass(frozen=True, slots=True)
class EmployeeFilter:
    """Which employees are wanted; None asks for nothing.

    Attributes:
        search: a tsquery over name and id.
        ids: those whom a search found.

    """

    departments: Sequence[str] | None = None
    managers: Sequence[str] | None = None
    active: bool | None = None
    search: str | None = None
    ids: Sequence[str] | None = None

    def settled(self, conn: Connection[Any]) -> EmployeeFilter:
        """Return the same without a search that finds few: those stand for it.

        Where it finds many, there is soon one of them in any order.
        """
        if self.search is None:
            return self
        found = [row[0] for row in ask(conn, _FOUND, (self.search,))]
        return self if len(found) > MAX_COUNTED else replace(self, search=None, ids=found)

    def conditions_for(self, orders: Sequence[Order]) -> Conditions:
        """The same as SQL, for a list in these orders, once it is settled."""
        conditions = self._conditions
        # Only by name does an index begin with what is filtered by.
        if orders[0].name == "name" and self.search is None and self.ids is None:
            conditions.ways.append(self._way())
        return conditions

    @property
    def _conditions(self) -> Conditions:
        conditions = Conditions()
        conditions.add_any("r.department", self.departments)
        conditions.add_any("r.manager", self.managers)
        conditions.add_any("r.active", None if self.active is None else [self.active])
        conditions.add_any("r.id", self.ids)
        conditions.add_given("r.words @@ to_tsquery('simple', %s)", self.search)
        return conditions

    def _way(self) -> Way:
        active = Spread(
            "active", "boolean", [True, False] if self.active is None else [self.active]
        )
        if self.managers is not None:
            return Way([Spread("manager", "text", self.managers)])
        if self.departments is not None:
            return Way([Spread("department", "text", self.departments), active])
        return Way([active])


def find_employee(
    conn: Connection[Any], names: Sequence[str], employee_id: str
) -> Sequence[Any] | None:
    """Return the fields, or None when nobody has this id."""
    conditions = Conditions()
    conditions.add("r.id = %s", employee_id)
    return EMPLOYEES.find(conn, names, conditions)


def count_employees(wanted: EmployeeFilter) -> Count:
    """Return how many there are, from the counts where these know."""
    by_others = (wanted.departments, wanted.managers, wanted.active)
    if all(one is None for one in by_others):
        if wanted.search is not None:
            return UNKNOWN
        if wanted.ids is not None:
            return Count("%s::bigint", [len(wanted.ids)])
    if any(one is not None for one in (wanted.managers, wanted.search, wanted.ids)):
        return EMPLOYEES.count(wanted.conditions_for([ID]))
    conditions = Conditions()
    conditions.add_any("department", wanted.departments)
    conditions.add_given("active = %s", wanted.active)
    return sum_of("employees", "rollbook.employee_counts", conditions)
