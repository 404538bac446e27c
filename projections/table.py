"""What a read table declares. The projector does the rest, the same way for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import LiteralString
    from uuid import UUID

    from domain.aggregate import Event

Row = TypeVar("Row")

Contribution = tuple[tuple[object, ...], tuple[int, ...]]
"""A key of a summary, and what is to be added to its amounts."""


@dataclass(frozen=True, eq=False)
class Summary(Generic[Row]):
    """A coarser table: what the rows of a finer one add up to.

    Attributes:
        name: name of the SQL table.
        key: its key columns and their types. A key column is never null.
        amounts: its other columns, whole numbers all of them.
        contribution: what one row of the finer table adds: the values of the key
            columns, and the amounts in their order. None when it adds nothing.
            Same row, same contribution: it is taken away again when the row changes.
        told_by: the fields of the row that tell its contribution, and no others do.

    """

    name: str
    key: Mapping[str, type]
    amounts: tuple[str, ...]
    contribution: Callable[[Row], Contribution | None]
    told_by: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ReadTable(Generic[Row]):
    """One read table, folded from events, with the summaries of its rows.

    Attributes:
        name: name of the SQL table.
        row: a frozen dataclass with slots; its fields are the columns.
        key: the name of the key column.
        keys: the events that concern the table, each with the key of the row it
            changes. Other events pass by.
        evolve: the row after an event; None before there is a row, or after it is gone.
            A pure function.
        indexes: what to index besides the key, as in "(status, id)".
        summaries: the coarser tables of its rows.
        definition: raised by one whenever `evolve`, the columns or a contribution
            change their meaning, so that a rebuild is not compared with other rules.

    """

    name: str
    row: type[Row]
    key: str
    keys: Mapping[type[Event], Callable[[Any], UUID | str]]
    evolve: Callable[[Row | None, Any], Row | None]
    indexes: tuple[str, ...] = ()
    summaries: tuple[Summary[Row], ...] = ()
    definition: int = 1

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The key columns of the SQL table."""
        return (self.key,)

    def differences(
        self, old: Row | None, new: Row | None
    ) -> list[tuple[str, Contribution | None, Contribution | None]]:
        """Return what the two rows contribute to each summary where that is not the same."""
        if old is not None and new is not None and self._told_by(old) == self._told_by(new):
            return []
        found = []
        for summary in self.summaries:
            was = None if old is None else summary.contribution(old)
            now = None if new is None else summary.contribution(new)
            if was != now:
                found.append((summary.name, was, now))
        return found

    @cached_property
    def _told_by(self) -> Callable[[Row], object]:
        """What of a row has to change before a contribution can."""
        names = dict.fromkeys(name for summary in self.summaries for name in summary.told_by)
        return attrgetter(*names) if names else lambda _row: None


@dataclass(frozen=True, eq=False)
class CopiedTable(ReadTable[Row]):
    """A read table with one row per event, which one statement of the database makes.

    Attributes:
        key: its rows are known by the position of their event.
        select: SQL that gives the columns of the rows, in order, from `rollbook.events e`.
            It ends where a condition on the events follows.

    """

    key: str = "position"
    keys: Mapping[type[Event], Callable[[Any], UUID | str]] = field(default_factory=dict)
    evolve: Callable[[Row | None, Any], Row | None] = lambda _row, event: event
    select: LiteralString = ""
