"""Lists page by page, by the key of the last row shown: they stay right while rows change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from math import prod
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.as_of import AsOf, LiveTable, ask, ask_rows
from projections.conditions import Conditions, Way
from projections.count import UNKNOWN, Count, told

SortValue = str | int | float | date | datetime | UUID

_GLANCES = 6
"""As many times as long as a page is what a glance at all combinations sees."""
_ENDLESS = {date, datetime, float}
"""The types of values that have an infinite one."""

MAX_COUNTED = 1_000
"""So many rows are counted one by one where no table of counts knows; more are not told."""


@dataclass(frozen=True, slots=True)
class Sort:
    """One order of a list.

    Attributes:
        expression: what SQL sorts by, never null, over the alias `r`.
        kind: the type of its values.
        then: the name of what rows are sorted by that are alike, before their keys.

    """

    expression: str
    kind: type[SortValue]
    then: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A sort by its name, and which of its ends comes first."""

    name: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Window:
    """Which page of a list is wanted.

    Attributes:
        orders: what it is sorted by, in full, the first one first.
        limit: the most rows to answer with.
        after: the sort values and the key of the row before the page; None for the first page.

    """

    orders: Sequence[Order]
    limit: int
    after: Sequence[SortValue] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Attributes:
        rows: the values of the wanted fields, row by row.
        after: where the next page goes on; None on the last.
        total: how many rows there are on all pages; None where that is not known.

    """

    rows: Sequence[Sequence[Any]]
    after: Sequence[SortValue] | None
    total: int | None = None


@dataclass(frozen=True)
class Listing:
    """How one table is listed and shown.

    Attributes:
        table: the SQL table; it has the alias `r` everywhere.
        key: its key column.
        key_kind: the type of its values.
        fields: what is shown, by name, as SQL over `r` and what is joined.
        sorts: the orders by name.
        documents: the fields that are JSON already, as text.
        joined: the tables beside it, joined by their keys.

    """

    table: str
    key: str
    key_kind: type[SortValue]
    fields: Mapping[str, str]
    sorts: Mapping[str, Sort]
    documents: frozenset[str] = frozenset()
    joined: str = ""

    def in_full(self, orders: Sequence[Order]) -> Sequence[Order]:
        """Return the orders with what follows from the last of them."""
        last = orders[-1]
        then = self.sorts[last.name].then
        if then is None or then in {order.name for order in orders}:
            return orders
        return [*orders, Order(then, last.descending)]

    def page(
        self,
        conn: Connection[Any],
        names: Sequence[str],
        conditions: Conditions,
        window: Window,
        count: Count = UNKNOWN,
    ) -> Page:
        """Return the page of the fields `names`, with what `count` comes to as its total."""
        keys, values = self._keys_sql(conditions, window)
        if isinstance(conn, AsOf):
            return self._page_of_then(conn, names, (keys, values), window, count)
        query = f"""
            SELECT {self._columns_sql(names)}, {count.sql} AS total, k.* FROM ({keys}) k
            JOIN {self.table} r ON r.{self.key} = k.key {self.joined}
            ORDER BY {self._order_sql(window, "k.")}
        """  # noqa: S608  # made of constants
        found = ask(conn, query, [*count.values, *values])
        width, limit = len(names), window.limit
        total = found[0][width] if found else told(conn, count)
        after = None if len(found) <= limit else found[limit - 1][width + 1 :]
        return Page([row[:width] for row in found[:limit]], after, total)

    def _page_of_then(
        self,
        conn: AsOf,
        names: Sequence[str],
        keys_query: tuple[str, Sequence[object]],
        window: Window,
        count: Count,
    ) -> Page:
        """Return a page of the past, whose rows are sought first and shown then."""
        keys, values = keys_query
        order, limit = self._order_sql(window, "k."), window.limit
        query = f"SELECT {count.sql} AS total, k.* FROM ({keys}) k ORDER BY {order}"  # noqa: S608
        with conn.in_one_state():
            found = ask(conn, query, [*count.values, *values])
            total = found[0][0] if found else told(conn, count)
            keys_of_page = [row[-1] for row in found[:limit]]
            rows = conn.shown(self._columns_sql(names), self._live, keys_of_page)
        after = None if len(found) <= limit else found[limit - 1][1:]
        return Page(rows, after, total)

    @property
    def _live(self) -> LiveTable:
        return LiveTable(self.table, self.key, self.joined)

    def _columns_sql(self, names: Sequence[str]) -> str:
        return ", ".join(map(self.fields.__getitem__, names))

    def find(
        self, conn: Connection[Any], names: Sequence[str], conditions: Conditions
    ) -> Sequence[Any] | None:
        """Return the fields `names` of the row that meets the conditions, None without one."""
        return next(iter(self.rows(conn, names, conditions)), None)

    def rows(
        self, conn: Connection[Any], names: Sequence[str], conditions: Conditions
    ) -> Sequence[Sequence[Any]]:
        """Return the fields `names` of the few rows that meet the conditions."""
        columns, which = self._columns_sql(names), f"WHERE {conditions.sql}"
        return ask_rows(conn, columns, self._live, which, conditions.values)

    def count(self, conditions: Conditions) -> Count:
        """Return how many rows meet the conditions; null when they are more than `MAX_COUNTED`.

        The ways, if there are any, must have no row in common.
        """
        most = f"LIMIT {MAX_COUNTED + 1}"
        parts, values = [], []
        for way in conditions.ways or [Way()]:
            wanted = self._along(conditions, way)
            walk = f"SELECT 1 FROM {self.table} r WHERE {wanted.sql} {most}"  # noqa: S608
            spreads, looked_up = _spreads(way)
            parts.append(f"SELECT 1 FROM {spreads}LATERAL ({walk}) t")  # noqa: S608
            values += [*looked_up, *wanted.values]
        found = f"({' UNION ALL '.join(parts)} {most}) counted"
        is_told = f"count(*) <= {MAX_COUNTED}"
        return Count(f"(SELECT CASE WHEN {is_told} THEN count(*) END FROM {found})", values)  # noqa: S608

    def count_all(self, conditions: Conditions) -> Count:
        """Return how many rows meet the conditions, looking at each of them.

        Several ways may lead to the same row.
        """
        parts, values = [], []
        for way in conditions.ways or [Way()]:
            wanted = self._along(conditions, way)
            spreads, looked_up = _spreads(way)
            parts.append(
                f"SELECT r.{self.key} FROM {spreads}{self.table} r WHERE {wanted.sql}"  # noqa: S608
            )
            values += [*looked_up, *wanted.values]
        found = f"({' UNION '.join(parts)}) counted"
        return Count(f"(SELECT count(*) FROM {found})", values)  # noqa: S608

    def _keys_sql(self, conditions: Conditions, window: Window) -> tuple[str, list[object]]:
        """Return the query of the page's keys and sort values, one more than the limit.

        Each way is walked along an index, value by value of its spreads, and what they find is
        merged.
        """
        parts, values = [], []
        for way in conditions.ways or [Way()]:
            sql, bound = self._way_sql(conditions, way, window)
            parts.append(sql)
            values += bound
        if len(parts) == 1:
            return parts[0], values
        merged = " UNION ".join(f"({part})" for part in parts)
        order = self._order_sql(window, "u.")
        return f"SELECT * FROM ({merged}) u ORDER BY {order} {_limit(window)}", values  # noqa: S608

    def _along(self, conditions: Conditions, way: Way) -> Conditions:
        wanted = conditions.along(way, "r")
        for number, spread in enumerate(way.spreads):
            wanted.add(f"r.{spread.column} = w{number}.value")
        return wanted

    def _way_sql(
        self, conditions: Conditions, way: Way, window: Window
    ) -> tuple[str, list[object]]:
        wanted = self._along(conditions, way)
        if window.after is not None:
            self._add_beyond(wanted, window, window.after)
        spreads, looked_up = _spreads(way)
        values = [*looked_up, *wanted.values]
        sorts = [self.sorts[order.name].expression for order in window.orders]
        columns = ", ".join(f"{sql} AS s{number}" for number, sql in enumerate(sorts))

        def walk(each: int, within: str = "") -> str:
            sql = (  # made of constants
                f"SELECT {columns}, r.{self.key} AS key FROM {self.table} r"  # noqa: S608
                f" WHERE {wanted.sql}{within} ORDER BY {self._order_sql(window)} LIMIT {each:d}"
            )
            order = self._order_sql(window, "t.")
            return f"SELECT t.* FROM {spreads}LATERAL ({sql}) t ORDER BY {order} {_limit(window)}"  # noqa: S608

        glanced = self._glanced(way, window)
        if glanced is None:
            return walk(window.limit + 1), values
        # No page goes beyond what a glance at the first few of each gives for its last row.
        order = self._order_sql(window, "g.")
        last = f"SELECT s0 FROM ({walk(glanced)}) g ORDER BY {order} OFFSET {window.limit:d}"  # noqa: S608
        is_first_down = window.orders[0].descending
        end = f"coalesce(({last}), '{'-' if is_first_down else ''}infinity')"
        within = f" AND {sorts[0]} {_beyond(not is_first_down)}= (SELECT {end})"
        return walk(window.limit + 1, within), [*values, *values]

    def _glanced(self, way: Way, window: Window) -> int | None:
        """Return how many rows of each combination to glance at first; None where not to.

        That is worth while where many have many rows, of which the page shows a few of each.
        """
        combinations = prod(len(spread.values) for spread in way.spreads)
        if not way.is_crowded or self.sorts[window.orders[0].name].kind not in _ENDLESS:
            return None
        few = _GLANCES * (window.limit + 1) // max(combinations, 1) + 1
        return few if few * 2 <= window.limit else None

    def _order_sql(self, window: Window, alias: str = "") -> str:
        parts = [(f"s{n}", order.descending) for n, order in enumerate(window.orders)]
        parts.append(("key", window.orders[0].descending))
        return ", ".join(f"{alias}{name} {'DESC' if down else 'ASC'}" for name, down in parts)

    def _add_beyond(self, wanted: Conditions, window: Window, after: Sequence[SortValue]) -> None:
        """Ask for rows behind the one with the sort values and the key `after`."""
        columns = [self.sorts[order.name].expression for order in window.orders]
        columns.append(f"r.{self.key}")
        directions = [order.descending for order in window.orders]
        directions.append(directions[0])
        if len(set(directions)) == 1:
            marks = ", ".join("%s" for _ in columns)
            wanted.add(f"({', '.join(columns)}) {_beyond(directions[0])} ({marks})", *after)
            return
        # The first condition says the same as the rest of its column, in a way an index serves.
        wanted.add(f"{columns[0]} {_beyond(directions[0])}= %s", after[0])
        sql, values = "false", list[object]()
        for column, descending, value in reversed(
            list(zip(columns, directions, after, strict=True))
        ):
            sql = f"({column} {_beyond(descending)} %s OR ({column} = %s AND {sql}))"
            values = [value, value, *values]
        wanted.add(sql, *values)


def _spreads(way: Way) -> tuple[str, list[object]]:
    """Return what gives each combination of values before a subquery, and the values."""
    found = [list(dict.fromkeys(spread.values)) for spread in way.spreads]
    spreads = [
        # One mark for each, so that the planner knows how many they are before it sees them.
        f"unnest(ARRAY[{', '.join(['%s'] * len(values))}]::{spread.kind}[]) w{number}(value), "
        for number, (spread, values) in enumerate(zip(way.spreads, found, strict=True))
    ]
    return "".join(spreads), list(chain.from_iterable(found))


def _limit(window: Window) -> str:
    # A number that is not written out is taken for a tenth of the table: no walk pays for that.
    return f"LIMIT {window.limit + 1:d}"


def _beyond(descending: bool) -> str:  # noqa: FBT001  # the one thing it is about
    return "<" if descending else ">"
