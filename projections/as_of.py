"""Asking the live tables' own questions of what they would have answered.

A moment is a pair of times: what was so at the effective time `as_of`, as far as it
was known at the recorded time `known_at`. The state then is the fold, in order of
version, of the events of each stream that took effect at or before the one and were
recorded at or before the other. A query that is asked as of a moment is the query of
the present, word for word: each live table that it names is put in its place as it
would have been, read from the histories. A history may have those columns alone that
rows are sought by; what is shown of a row is then folded from the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from domain.aggregate import Event
from eventlog.codec import EventCodec
from eventlog.fetching import fetch
from projections.columns import column, columns_of
from projections.histories import FOLLOWED, PROGRAM_HISTORY
from projections.history import BEFORE, HOLDS, History
from projections.names import LIVE, TODAY
from projections.past_rows import past_rows
from projections.program_places import PROGRAM_PLACES
from projections.row import Row
from projections.rows import as_json

# Of a history as much may hold at a moment that to read all of it is quickest.
_IN_ONE_STATE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET LOCAL enable_seqscan = on"

_GIVEN = re.compile(r"%\((as_of|known_at|rows)\)s")
_LIVE_TABLE = re.compile(rf"\b{LIVE}\.(\w+)")

Values = Sequence[object]


@dataclass(frozen=True, slots=True)
class Moment:
    """An effective and a recorded time, in UTC."""

    as_of: datetime
    known_at: datetime

    @property
    def day(self) -> date:
        """The day by which overdue and expired are told."""
        return self.as_of.date()

    def holds(self, event: Event) -> bool:
        """Return whether the event had taken effect and was known."""
        return event.effective_at <= self.as_of and event.timestamp <= self.known_at


class NoHistoryError(LookupError):
    """What a live table was is not kept."""

    def __init__(self, table: str) -> None:
        super().__init__(f"{table} has no history.")
        self.table = table


class AsOf:
    """A connection whose queries find the live tables as they would have been at a moment.

    Attributes:
        present: the connection itself, for what is not asked of the live tables.
        moment: which moment it is.
    """

    def __init__(self, conn: psycopg.Connection[Any], moment: Moment, codec: EventCodec) -> None:
        """Read the log with the `codec` where a history does not tell all."""
        self.present = conn
        self.moment = moment
        self._codec = codec
        self._today = f"'{moment.day.isoformat()}'::date"
        self._times = {"as_of": moment.as_of, "known_at": moment.known_at}

    def execute(
        self, query: str, values: Values = (), *, binary: bool = False
    ) -> psycopg.Cursor[Any]:
        """Run a query on live tables, of what rows are sought by.

        Raises `NoHistoryError`, and as psycopg does.
        """
        of_then, given = _of_then(query, self._today)
        return self._run(of_then, [*(self._times[time] for time in given), *values], binary=binary)

    @contextmanager
    def in_one_state(self) -> Iterator[None]:
        """Let all queries within see the tables and the log in one state."""
        if self.present.info.transaction_status != TransactionStatus.IDLE:
            yield
        else:
            with self.present.transaction():
                self.present.execute(_IN_ONE_STATE)
                yield

    def shown(
        self, columns: str, table: str, key: str, keys: Sequence[object], joined: str = ""
    ) -> list[tuple[Any, ...]]:
        """Return columns of rows that were found, in the order of the `keys`.

        The table has the alias `r`, and what is `joined` to it stands for itself.
        """
        if not keys:
            return []
        kind = column(key, type(keys[0])).sql_type
        query = f"""
            SELECT {columns} FROM unnest(%s::{kind}[]) WITH ORDINALITY k(key, place)
            JOIN {table} r ON r.{key} = k.key {joined} ORDER BY k.place
        """  # noqa: S608  # made of constants
        history = _IN_PART.get(table)
        with self.in_one_state():
            if history is None:
                return self.execute(query, [list(keys)], binary=True).fetchall()
            rows = past_rows(self.present, self._codec, history, self.moment.holds, keys)
            of_then, given = _of_then(query, self._today, history.of.name)
            values = {**self._times, "rows": as_json(list[Row](rows))}
            bound = [*(values[name] for name in given), list(keys)]
            return self._run(of_then, bound, binary=True).fetchall()

    def _run(self, query: bytes, values: Values, *, binary: bool) -> psycopg.Cursor[Any]:
        with self.in_one_state():
            return self.present.execute(query, values, binary=binary)


def ask(
    conn: psycopg.Connection[Any] | AsOf, query: str, values: Values = ()
) -> list[tuple[Any, ...]]:
    """Return the rows of a query on live tables, now or then. Raises as `AsOf.execute` does."""
    if isinstance(conn, psycopg.Connection):
        return fetch(conn, query, values)
    return conn.execute(query, values, binary=True).fetchall()


@lru_cache(maxsize=256)
def _of_then(query: str, today: str, given: str | None = None) -> tuple[bytes, tuple[str, ...]]:
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
        told = summary.in_sql
        amounts = [f"{told.amounts[name]} AS {name}" for name in summary.amounts]
        for stored in summary.stored:
            key = [f"{told.key[name]} AS {name}" for name in stored.key]
            numbers = ", ".join(str(number) for number, _ in enumerate(key, start=1))
            yield (
                stored.name,
                (
                    f"SELECT {', '.join([*key, *amounts])} FROM {LIVE}.{history.name}"  # noqa: S608
                    f" WHERE {HOLDS} AND {told.among} GROUP BY {numbers}"
                ),
            )


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

_IN_PART = {f"{LIVE}.{one.of.name}": one for one in FOLLOWED if one.sought is not None}
"""The histories that do not tell all of a row, by the tables that they follow."""
