"""The keys of employees, for the events that commands store."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import Connection

from directory.personal_keys import PersonalKey, PersonalKeys
from domain.personal_record import EmployeeErasedError


class EmployeeKeys(PersonalKeys):
    """The keys in the directory, and what the domain says where there is none any more."""

    def make(self, conn: Connection[Any], persons: Collection[str]) -> dict[str, PersonalKey]:
        """Return the keys of all `persons`. Raises `EmployeeErasedError`."""
        keys = super().make(conn, persons)
        for person in persons:
            if person not in keys:
                raise EmployeeErasedError(person)
        return keys
