from __future__ import annotations

from psycopg_pool import ConnectionPool

from directory.bulk import add_missing
from directory.employees import Employee, Employees

ANN, BOB = Employee("ann", name="Ann"), Employee("bob", name="Bob", active=False)


def add(pool: ConnectionPool, *employees: Employee) -> int:
    with pool.connection() as conn:
        return add_missing(conn, employees)


def test_only_those_are_added_whom_nobody_knows(pool: ConnectionPool) -> None:
    assert add(pool, ANN) == 1
    assert add(pool, Employee("ann", name="Anna"), BOB) == 1
    assert Employees(pool).find_many(["ann", "bob"]) == {"ann": ANN, "bob": BOB}


def test_those_whom_nobody_knows_are_not_found(pool: ConnectionPool) -> None:
    add(pool, ANN)
    assert Employees(pool).find_many(["bob", "ann"]) == {"ann": ANN}
    assert Employees(pool).find_many([]) == {}
