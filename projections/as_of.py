"""Asking the live tables' own questions of what they would have answered.

A moment is a pair of times: what was so at the effective time `as_of`, as far as it
was known at the recorded time `known_at`. The state then is the fold, in order of
version, of the events of each stream that took effect at or before the one and were
recorded at or before the other. A query that is asked as of a moment is the query of
the present, word for word, on the tables of then (`tables_of_then`). A history may
have those columns alone that rows are sought by; what is shown of a row is then folded
from the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from domain.aggregate import Event
from eventlog.codec import EventCodec
from eventlog.fetching import fetch
from projections.columns import column
from projections.past_rows import past_rows
from projections.row import Row
from projections.rows import as_json
from projections.tables_of_then import KEPT_IN_PART, query_of_then

# Of a history as much may hold at a moment that to read all of it is quickest.
_IN_ONE_STATE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET LOCAL enable_seqscan = on"

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


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table whose rows are shown.

    Attributes:
        name: the SQL table; it has the alias `r` everywhere.
        key: its key column.
        joined: the tables beside it, joined by their keys.
    """

    name: str
    key: str
    joined: str = ""


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
        of_then, given = query_of_then(query, self._today)
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

    def shown(self, columns: str, live: LiveTable, keys: Sequence[object]) -> list[tuple[Any, ...]]:
        """Return columns of rows that were found, in the order of the `keys`."""
        if not keys:
            return []
        kind = column(live.key, type(keys[0])).sql_type
        query = f"""
            SELECT {columns} FROM unnest(%s::{kind}[]) WITH ORDINALITY k(key, place)
            JOIN {live.name} r ON r.{live.key} = k.key {live.joined} ORDER BY k.place
        """  # noqa: S608  # made of constants
        history = KEPT_IN_PART.get(live.name)
        with self.in_one_state():
            if history is None:
                return self.execute(query, [list(keys)], binary=True).fetchall()
            rows = past_rows(self.present, self._codec, history, self.moment.holds, keys)
            of_then, given = query_of_then(query, self._today, history.of.name)
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


def ask_rows(
    conn: psycopg.Connection[Any] | AsOf,
    columns: str,
    live: LiveTable,
    which: str,
    values: Values = (),
) -> list[tuple[Any, ...]]:
    """Return columns of the few rows that are sought, now or then. Raises as `ask` does.

    `which` is what stands behind the tables, in the terms of what rows are sought by.
    """
    found = f"FROM {live.name} r {live.joined} {which}"
    if not isinstance(conn, AsOf):
        return ask(conn, f"SELECT {columns} {found}", values)
    with conn.in_one_state():
        keys = ask(conn, f"SELECT r.{live.key} {found}", values)
        return conn.shown(columns, live, [key for (key,) in keys])
