"""Histories: read tables that keep every state of another table's rows, in both times."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, get_type_hints

import msgspec

from domain.aggregate import Event
from eventlog.source import Source
from projections.row import Row
from projections.table import ReadTable
from projections.timeline import Bounds

BOUNDS = Bounds.__struct_fields__

HOLDS = """effective_from <= %(as_of)s AND known_from <= %(known_at)s
    AND known_until > %(known_at)s
    AND (effective_until > %(as_of)s OR end_known_from > %(known_at)s)"""
"""Whether a stay holds at the two times."""

BEFORE = "effective_at <= %(as_of)s AND recorded_at <= %(known_at)s"
"""Whether an event counts at the two times."""


@dataclass(frozen=True, eq=False)
class History(ReadTable[Any]):
    """The stays of the rows of a read table: columns of it, and the bounds.

    It has no summaries: what they came to is added up from the stays that held.

    Attributes:
        of: the table whose rows it follows, by the same `evolve`.
        sought: the columns that rows are sought by, where only these are kept: as long as none
            of them changes a stay goes on, and what else a row said is told by the log. They
            must follow from the events and from each other alone.
    """

    of: ReadTable[Any] = None  # type: ignore[assignment]  # `history_of` gives it
    sought: tuple[str, ...] | None = None

    @property
    def kept(self) -> tuple[str, ...]:
        """The columns of the table that it keeps."""
        return self.of.row.__struct_fields__ if self.sought is None else self.sought

    @cached_property
    def goes_on(self) -> Callable[[Any, Any], bool]:
        """Whether a stay goes on, from its row and the one that an event made of it."""
        return _goes_on(self.sought)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Its key columns."""
        return (self.key, "known_from", "effective_from")


def history_of(
    table: ReadTable[Any],
    name: str,
    indexes: tuple[str, ...],
    leaving_out: Iterable[type[Event]] = (),
    sought: tuple[str, ...] | None = None,
    definition: int = 0,
) -> History:
    """Return the history of `table`.

    It passes by the events `leaving_out`; `sought` is as in `History`. The `definition` counts
    the changes of the history itself, beside those of the table.
    """
    return History(
        name=name,
        row=_with_bounds(table.row, sought),
        key=table.key,
        keys={kind: key for kind, key in table.keys.items() if kind not in {*leaving_out}},
        evolve=table.evolve if sought is None else _evolving(table, _goes_on(sought)),
        indexes=indexes,
        begins=table.begins,
        definition=table.definition + definition,
        of=table,
        sought=sought,
    )


def _with_bounds(row: type[Row], sought: tuple[str, ...] | None) -> type[Row]:
    hints = get_type_hints(row)
    kept = [(name, hints[name]) for name in sought or row.__struct_fields__]
    bounds = [(name, datetime) for name in BOUNDS]
    made: type[Any] = msgspec.defstruct(
        f"{row.__name__}Stay", [*kept, *bounds], bases=(Row,), frozen=True
    )
    return made


def _goes_on(sought: tuple[str, ...] | None) -> Callable[[Any, Any], bool]:
    same = "row is later"
    if sought is not None:
        # What did not change is the very same value, but for a row that was just loaded.
        alike = [f"(row.{name} is later.{name} or row.{name} == later.{name})" for name in sought]
        same = f"{same} or (row is not None and later is not None and {' and '.join(alike)})"
    return Source().function("row, later", f"return {same}")


def _evolving(
    table: ReadTable[Any], goes_on: Callable[[Any, Any], bool]
) -> Callable[[Any, Any], Any]:
    evolve = table.evolve

    def evolve_what_is_sought(row: Any, event: Any) -> Any:
        evolved = evolve(row, event)
        return row if goes_on(row, evolved) else evolved

    return evolve_what_is_sought
