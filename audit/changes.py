"""What each event changed: the fields of the rows that the API shows, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.aggregate import Event
from projections.certificate_register import CERTIFICATE_REGISTER
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.program_listing import PROGRAM_LISTING
from projections.row import Row
from projections.table import ReadTable
from projections.waiting_list import WAITING_LIST

RESOURCES: Mapping[str, ReadTable[Any]] = {
    "program": PROGRAM_LISTING,
    "enrollment": ENROLLMENT_LISTING,
    "waiting_place": WAITING_LIST,
    "certificate": CERTIFICATE_REGISTER,
}
"""The resources that events change, each with the table whose rows the API shows."""

# These follow every event, so they say nothing about what it did.
BOOKKEEPING = frozenset({"version", "changed_at"})

Key = UUID | str


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one row, before and after an event.

    Attributes:
        resource: one of `RESOURCES`.
        key: the row's id or number; a place on a waiting list has its enrollment's.
        before, after: None where there is no row, or nothing in the field.
    """

    resource: str
    key: Key
    field: str
    before: object
    after: object


class Fold:
    """Rows as the events given so far made them; each stream from its first event on."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, Key], Any] = {}

    def apply(self, event: Event) -> list[Change]:
        """Take in the next event, and return what it changed."""
        changes: list[Change] = []
        for resource, table in RESOURCES.items():
            key = table.concerned(event)
            if key is not None:
                changes += self._evolve(resource, table, key, event)
        return changes

    def _evolve(self, resource: str, table: ReadTable[Any], key: Key, event: Event) -> list[Change]:
        before = self.rows.pop((resource, key), None)
        after = table.evolve(before, event)
        if after is not None:
            self.rows[resource, key] = after
        return _differences(resource, key, table.row, before, after)


def _differences(resource: str, key: Key, row: type[Row], before: Any, after: Any) -> list[Change]:
    names = [name for name in row.__struct_fields__ if name not in BOOKKEEPING]
    values = ((name, getattr(before, name, None), getattr(after, name, None)) for name in names)
    return [Change(resource, key, name, was, now) for name, was, now in values if was != now]
