"""Erasing a person from the directory, for ever: nobody brings the id back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import Connection

from directory.personal_keys import destroy_key

_LOCK = "hashtextextended('rollbook.employees erased', 0)"
_NOT_NOW = f"SELECT pg_advisory_xact_lock_shared({_LOCK})"
_ALONE = f"SELECT pg_advisory_xact_lock({_LOCK})"

_ERASED = """
SELECT employee_id FROM rollbook.personal_keys WHERE employee_id = ANY(%s) AND key IS NULL
"""


_BROUGHT_BACK = """
SELECT person FROM unnest(%s::text[]) AS person
WHERE EXISTS (SELECT FROM rollbook.employees WHERE id = person)
    OR NOT EXISTS (
        SELECT FROM rollbook.personal_keys WHERE employee_id = person AND key IS NULL
    )
"""


class PersonErasedError(Exception):
    """The person was erased, so there can be no entry."""

    def __init__(self, employee_id: str) -> None:
        super().__init__(f"The data of employee {employee_id} was erased.")
        self.employee_id = employee_id


def erased_among(conn: Connection[Any], employee_ids: Collection[str]) -> set[str]:
    """Return those who were erased; nobody is from now on, until the transaction ends."""
    conn.execute(_NOT_NOW)
    return {employee_id for (employee_id,) in conn.execute(_ERASED, (list(employee_ids),))}


def brought_back(conn: Connection[Any], erased: Collection[str]) -> list[str]:
    """Return those of the `erased` who have a key or an entry again, after a restore."""
    return [employee_id for (employee_id,) in conn.execute(_BROUGHT_BACK, (list(erased),))]


def erase_person(conn: Connection[Any], employee_id: str) -> None:
    """Destroy the employee's key and entry, in the connection's transaction."""
    conn.execute(_ALONE)
    destroy_key(conn, employee_id)
    conn.execute("DELETE FROM rollbook.employees WHERE id = %s", (employee_id,))
