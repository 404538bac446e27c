"""Facts in, row out: what a read table makes of a history, without any database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from domain.aggregate import Event
from projections.table import ReadTable, Summary
from tests.domain.scenario import Fact

Row = TypeVar("Row")


def events_of(stream_id: UUID, *facts: Fact) -> list[Event]:
    """The facts as the events of one stream."""
    return [it.event(stream_id, version) for version, it in enumerate(facts, start=1)]


def rows_after(table: ReadTable[Row], events: Iterable[Event]) -> dict[Any, Row]:
    """All rows of the table, by key."""
    rows: dict[Any, Row] = {}
    for event in events:
        if type(event) in table.keys:
            key = table.keys[type(event)](event)
            row = table.evolve(rows.pop(key, None), event)
            if row is not None:
                rows[key] = row
    return {getattr(row, table.key): row for row in rows.values()}


def the_row(table: ReadTable[Row], stream_id: UUID, *facts: Fact) -> Row:
    """The one row that the facts make."""
    (row,) = rows_after(table, events_of(stream_id, *facts)).values()
    return row


def summed(
    summary: Summary[Row], name: str, rows: Iterable[Row]
) -> dict[tuple[object, ...], dict[str, int]]:
    """What the rows contribute, added up as its table of this name does: amounts, by key."""
    [stored] = [table for table in summary.stored if table.name == name]
    totals: dict[tuple[object, ...], dict[str, int]] = {}
    for contribution in filter(None, map(summary.contribution, rows)):
        told = dict(zip(summary.key, contribution[0], strict=True))
        key = tuple(stored.values_of([told[column] for column in stored.key]))
        before = totals.setdefault(key, dict.fromkeys(summary.amounts, 0))
        for amount_name, amount in zip(summary.amounts, contribution[1], strict=True):
            before[amount_name] += amount
    return totals
