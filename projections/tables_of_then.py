"""The live tables as they would have been at a moment, as SQL: each is read from its history."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from projections.columns import columns_of
from projections.histories import FOLLOWED, PROGRAM_HISTORY
from projections.history import BEFORE, HOLDS, History
from projections.names import LIVE, TODAY
from projections.program_places import PROGRAM_PLACES
from projections.summing import summing

_GIVEN = re.compile(r"%\((as_of|known_at|rows)\)s")
_LIVE_TABLE = re.compile(rf"\b{LIVE}\.(\w+)")


class NoHistoryError(LookupError):
    """What a live table was is not kept."""

    def __init__(self, table: str) -> None:
        super().__init__(f"{table} has no history.")
        self.table = table


@lru_cache(maxsize=256)
def query_of_then(
    query: str, today: str, given: str | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """Return the query on the tables of then, and what comes before its own values.

    Without its schema, the name of a live table is that of the WITH query in front. The rows of
    the one that is `given` are a value of the query.
    """
    named = sorted({*_LIVE_TABLE.findall(query)})
    for name in named:
        if name not in _THEN:
            raise NoHistoryError(name)
    if not named:
        return query.encode(), ()
    sources = {name: _given_rows(name) if name == given else _THEN[name] for name in named}
    then = ", ".join(f"{name} AS NOT MATERIALIZED ({sql})" for name, sql in sources.items())
    before = tuple(_GIVEN.findall(then))
    asked = _LIVE_TABLE.sub(r"\1", query).replace(TODAY, today)
    return f"WITH {_GIVEN.sub('%s', then)} ({asked})".encode(), before


def _given_rows(name: str) -> str:
    return f"SELECT * FROM json_populate_recordset(NULL::{LIVE}.{name}, %(rows)s::json)"  # noqa: S608  # constants


def _rows(history: History) -> str:
    columns = ", ".join(history.kept)
    return f"SELECT {columns} FROM {LIVE}.{history.name} WHERE {HOLDS}"  # noqa: S608  # constants


def _sums(history: History) -> Iterator[tuple[str, str]]:
    """Yield the stored summaries of the table with what they were, as they hold no empty rows."""
    for summary in history.of.summaries:
        for stored in summary.stored:
            rows = f"{LIVE}.{history.name} WHERE {HOLDS}"
            yield stored.name, summing(summary, stored, rows)


def _programs() -> str:
    """Return the query of the programs, whose places are counted person by person."""
    added = {
        "seats_taken": "coalesce(p.seats_taken, 0)",
        "waiting": "coalesce(p.waiting, 0)",
        "version": "greatest(h.version, p.version)",
        "changed_at": "greatest(h.changed_at, p.recorded_at)",
    }
    names = [column.name for column in columns_of(PROGRAM_HISTORY.of.row)]
    columns = ", ".join(f"{added.get(name, f'h.{name}')} AS {name}" for name in names)
    # Employees are many and first, and compared byte by byte, so that the sort is a quick one.
    return f"""
        SELECT {columns} FROM ({_rows(PROGRAM_HISTORY)}) h LEFT JOIN (
            SELECT program_id, count(*) FILTER (WHERE has_seat) AS seats_taken,
                   count(*) FILTER (WHERE is_waiting) AS waiting, max(version) AS version,
                   max(recorded_at) AS recorded_at
            FROM (
                SELECT DISTINCT ON (employee_id COLLATE "C", program_id)
                       program_id, version, recorded_at, has_seat, is_waiting
                FROM {LIVE}.{PROGRAM_PLACES.name} WHERE {BEFORE}
                ORDER BY employee_id COLLATE "C", program_id, version DESC
            ) last GROUP BY program_id
        ) p ON p.program_id = h.id
    """  # noqa: S608  # constants


_THEN: dict[str, str] = {
    **{history.of.name: _rows(history) for history in FOLLOWED},
    **dict(sums for history in FOLLOWED for sums in _sums(history)),
    PROGRAM_HISTORY.of.name: _programs(),
}
"""For each live table the query that gives what it would have been."""

KEPT_IN_PART = {f"{LIVE}.{one.of.name}": one for one in FOLLOWED if one.sought is not None}
"""The histories that do not tell all of a row, by the tables that they follow."""
