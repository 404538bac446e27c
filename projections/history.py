"""Histories: read tables that keep every state of another table's rows, in both times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, get_type_hints

import msgspec

from domain.aggregate import Event
from projections.fold import Entry, Key
from projections.row import Row
from projections.table import ReadTable, Summary
from projections.timeline import Bounds

BOUNDS = Bounds.__struct_fields__

HOLDS = """effective_from <= %(as_of)s AND known_from <= %(known_at)s
    AND known_until > %(known_at)s
    AND (effective_until > %(as_of)s OR end_known_from > %(known_at)s)"""
"""Whether a stay holds at the two times."""

BEFORE = "effective_at <= %(as_of)s AND recorded_at <= %(known_at)s"
"""Whether a change counts at the two times."""


@dataclass(frozen=True, eq=False)
class History(ReadTable[Any]):
    """The stays of the rows of a read table: its columns, and the bounds.

    Its summaries hold what is added to those of the table at an effective and a
    recorded time: what they came to at any two times is the sum of all before both.

    Attributes:
        of: the table whose rows it follows, by the same `evolve`.
        erasures: the events that erase text, each with what it makes of every state of a row.
    """

    of: ReadTable[Any] = None  # type: ignore[assignment]  # `history_of` gives it
    erasures: Mapping[type[Event], Callable[[Any], Any]] = field(default_factory=dict)

    def erased(self, by_key: Mapping[Key, Sequence[Entry]]) -> set[Key]:
        """Return the keys of which one of the events erases text."""
        erasures = self.erasures
        return {
            key
            for key, entries in by_key.items()
            for _, event in entries
            if type(event) in erasures
        }

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Its key columns."""
        return (self.key, "known_from", "effective_from")


def history_of(
    table: ReadTable[Any],
    name: str,
    indexes: tuple[str, ...],
    leaving_out: Iterable[type[Event]] = (),
    erasures: Mapping[type[Event], Callable[[Any], Any]] | None = None,
) -> History:
    """Return the history of `table` and of all its summaries.

    It passes by the events `leaving_out`; `erasures` are as in `History`.
    """
    return History(
        name=name,
        row=_with_bounds(table.row),
        key=table.key,
        keys={kind: key for kind, key in table.keys.items() if kind not in {*leaving_out}},
        evolve=table.evolve,
        indexes=indexes,
        summaries=tuple(map(_changes_of, table.summaries)),
        begins=table.begins,
        definition=table.definition,
        of=table,
        erasures=erasures or {},
    )


def _with_bounds(row: type[Row]) -> type[Row]:
    bounds = [(name, datetime) for name in BOUNDS]
    made: type[Any] = msgspec.defstruct(
        f"{row.__name__}Stay", [*get_type_hints(row).items(), *bounds], bases=(Row,), frozen=True
    )
    return made


def _changes_of(summary: Summary[Any]) -> Summary[Any]:
    times = {"effective_at": datetime, "recorded_at": datetime}
    return replace(
        summary, name=f"{summary.name}_changes", key={**summary.key, **times}, rollups={}
    )
