"""A sync of the directory and an erasure at the same time: the person does not come back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from directory.employees import Employee, Employees
from directory.erasing import PersonErasedError, erase_person
from eventlog.pool import Connection, Pool, open_pool
from tests.eventlog.events import is_waiting_for_a_lock
from tests.patience import eventually


@dataclass(frozen=True)
class Lent:
    """Lends one connection, with the transaction that is open on it."""

    conn: Connection

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        yield self.conn


def erase(pool: Pool, employee_id: str) -> None:
    with pool.connection() as conn, conn.transaction():
        erase_person(conn, employee_id)


def test_who_is_put_while_being_erased_does_not_come_back(database_url: str) -> None:
    with (
        open_pool(database_url, 4) as pool,
        pool.connection() as erasing,
        psycopg.connect(database_url) as observer,
        ThreadPoolExecutor(2) as threads,
    ):
        employees = Employees(pool)
        employees.put(Employee("ann", "Ann"))
        with erasing.transaction():
            erase_person(erasing, "ann")
            syncing = threads.submit(employees.put_many, [Employee("ann"), Employee("bob")])
            changing = threads.submit(employees.change, "ann", lambda _: Employee("ann"))
            eventually(lambda: is_waiting_for_a_lock(observer))
        syncing.result(20)
        with pytest.raises(PersonErasedError):
            changing.result(20)
        assert "ann" not in employees.find_many(["ann"])
        assert "bob" in employees.find_many(["bob"])


def test_an_erasure_waits_for_a_sync_and_erases_what_it_stored(database_url: str) -> None:
    with (
        open_pool(database_url, 4) as pool,
        pool.connection() as syncing,
        psycopg.connect(database_url) as observer,
        ThreadPoolExecutor(1) as threads,
    ):
        with syncing.transaction():
            Employees(Lent(syncing)).put(Employee("ann", "Ann"))
            erased = threads.submit(erase, pool, "ann")
            eventually(lambda: is_waiting_for_a_lock(observer))
        erased.result(20)
        assert Employees(pool).find_many(["ann"]) == {}
