"""What a read table declares. The projector does the rest, the same way for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import neg, sub
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints
from uuid import UUID

from eventlog.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.aggregate import Event

Row = TypeVar("Row")

Contribution = tuple[tuple[object, ...], tuple[int, ...]]
"""A key of a summary, and what is to be added to its amounts."""

Difference = tuple[int, tuple[object, ...], Sequence[int]]
"""The number of a summary, a key of it, and what the change of a row adds to its amounts."""


@dataclass(frozen=True, slots=True)
class SumTable:
    """An SQL table of sums: its key columns with their types, and its amounts."""

    name: str
    key: Mapping[str, type]
    amounts: tuple[str, ...]

    def values_of(self, key: Sequence[Any]) -> list[Any]:
        """Return what stands in the key columns for a key as contributions tell it."""
        kinds = self.key.values()
        return [UUID(int=v) if kind is UUID else v for v, kind in zip(key, kinds, strict=True)]


@dataclass(frozen=True, slots=True)
class InSql:
    """What rows contribute to a summary, told to the database.

    Attributes:
        key: the values of the key columns, over the columns of the rows.
        amounts: what rows with the same key come to, each an aggregate.
        among: which rows contribute.
    """

    key: Mapping[str, str]
    amounts: Mapping[str, str]
    among: str = "true"


@dataclass(frozen=True, eq=False)
class Summary(Generic[Row]):
    """A coarser table: what the rows of a finer one add up to.

    Attributes:
        name: name of the SQL table.
        key: its key columns and their types. A key column is never null.
        amounts: its other columns, whole numbers all of them.
        contribution: what one row of the finer table adds: the values of the key
            columns, UUIDs by their numbers, and the amounts in their order. None when it adds
            nothing. Same row, same contribution: it is taken away again when the row changes.
        told_by: the fields of the row that tell its contribution, and no others do.
        in_sql: the contribution once more, for what was: rows of then are added up when asked for.
        rollups: the SQL tables that are stored in its place, if any are: by the name of each the
            key columns that it has, over the others of which it adds up.

    """

    name: str
    key: Mapping[str, type]
    amounts: tuple[str, ...]
    contribution: Callable[[Row], Contribution | None]
    told_by: tuple[str, ...]
    in_sql: InSql
    rollups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def stored(self) -> list[SumTable]:
        """The SQL tables: its own, or those of its rollups."""
        rollups = self.rollups or {self.name: (*self.key,)}
        return [
            SumTable(name, {column: self.key[column] for column in key}, self.amounts)
            for name, key in rollups.items()
        ]


@dataclass(frozen=True, eq=False)
class ReadTable(Generic[Row]):
    """One read table, folded from events, with the summaries of its rows.

    Attributes:
        name: name of the SQL table.
        row: a subclass of `projections.row.Row`; its fields are the columns.
        key: the name of the key column.
        keys: the events that concern the table, each with what tells the key of the row it
            changes: of a UUID its number, which is found in dictionaries several times as fast.
            Other events pass by.
        evolve: the row after an event; None before there is a row, or after it is gone.
            A pure function.
        indexes: what to index besides the key, as in "(status, id)".
        summaries: the coarser tables of its rows.
        begins: whether an event is the first that ever concerns its row, so that nobody
            need look for one. It may say no of some that are.
        definition: raised by one whenever `evolve`, the columns or a contribution
            change their meaning, so that a rebuild is not compared with other rules.

    """

    name: str
    row: type[Row]
    key: str
    keys: Mapping[type[Event], Callable[[Any], int | str]]
    evolve: Callable[[Row | None, Any], Row | None]
    indexes: tuple[str, ...] = ()
    summaries: tuple[Summary[Row], ...] = ()
    begins: Callable[[Any], bool] = lambda _event: False
    definition: int = 1

    @property
    def stored_summaries(self) -> list[SumTable]:
        """The SQL tables of all summaries."""
        return [stored for summary in self.summaries for stored in summary.stored]

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The key columns of the SQL table."""
        return (self.key,)

    @cached_property
    def _has_uuids(self) -> bool:
        return get_type_hints(self.row)[self.key] is UUID

    def key_of(self, row: Row) -> int | str:
        """Return the key of a row, as `keys` tell it."""
        value = getattr(row, self.key)
        key: int | str = value.int if self._has_uuids else value
        return key

    def concerned(self, event: Any) -> Any:
        """Return what stands in the key column of the row that an event concerns, or None."""
        key_of = self.keys.get(type(event))
        return None if key_of is None else self.value_of(key_of(event))

    def value_of(self, key: Any) -> Any:
        """Return what stands in the key column for a key."""
        return UUID(int=key) if self._has_uuids else key

    def differences(self, old: Row | None, new: Row | None) -> list[Difference]:
        """Return what to add to the summaries where the row `new` takes the place of `old`."""
        if old is not None and new is not None and self.tells_the_same(old, new):
            return []
        return differing(self.contributions(old), self.contributions(new))

    def contributions(self, row: Row | None) -> Sequence[Contribution | None]:
        """Return what the row adds to each of the summaries."""
        return self._nothing if row is None else self._contributions(row)

    @cached_property
    def _contributions(self) -> Callable[[Row], Sequence[Contribution | None]]:
        source = Source()
        calls = [f"{source.name_of(one.contribution)}(row)" for one in self.summaries]
        return source.function("row", f"return [{', '.join(calls)}]")

    @cached_property
    def _nothing(self) -> Sequence[None]:
        return [None] * len(self.summaries)

    @cached_property
    def tells_the_same(self) -> Callable[[Row, Row], bool]:
        """Whether nothing that tells a contribution differs: the values are the very same ones."""
        names = dict.fromkeys(name for summary in self.summaries for name in summary.told_by)
        same = [f"old.{name} is new.{name}" for name in names]
        return Source().function("old, new", f"return {' and '.join(same) or True}")


def differing(
    was: Sequence[Contribution | None], now: Sequence[Contribution | None]
) -> list[Difference]:
    """Return what to add to the summaries where what a row contributes changes."""
    found: list[Difference] = []
    for number, (old, new) in enumerate(zip(was, now, strict=True)):
        if old == new:
            continue
        if old is None or new is None or old[0] != new[0]:
            if old is not None:
                found.append((number, old[0], _opposite(old[1])))
            if new is not None:
                found.append((number, *new))
        else:
            found.append((number, new[0], _between(old[1], new[1])))
    return found


# The amounts are few: most rows are counted as one or none of something.


@lru_cache(maxsize=10_000)
def _opposite(amounts: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(neg, amounts))


@lru_cache(maxsize=10_000)
def _between(old: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(sub, new, old))


@dataclass(frozen=True, eq=False)
class EventTable(ReadTable[Row]):
    """A read table with one row per event, known by the event's position.

    Attributes:
        row_of: the row of a position and the event there, which may be `Unreadable`.
    """

    key: str = "position"
    keys: Mapping[type[Event], Callable[[Any], int | str]] = field(default_factory=dict)
    evolve: Callable[[Row | None, Any], Row | None] = lambda _row, event: event
    row_of: Callable[[int, Any], Row] = None  # type: ignore[assignment]  # each gives its own
