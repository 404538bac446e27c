"""Pages of a list in any orders, while its rows change: what stays is shown once, and in order."""

from __future__ import annotations

from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.conditions import Conditions, Spread, Way
from projections.keyset import Listing, Order, Sort, Window

ROWS = Listing(
    table="listed",
    key="id",
    key_kind=int,
    fields={"id": "r.id", "a": "r.a", "b": "r.b"},
    sorts={"a": Sort("r.a::float8", float), "b": Sort("r.b", str)},
)
ORDERS = [Order(name, descending) for name in ("a", "b") for descending in (False, True)]

values = st.tuples(st.integers(0, 3), st.sampled_from("uvwxyz"))
tables = st.dictionaries(st.integers(0, 30), values, max_size=20)
orders = st.lists(st.sampled_from(ORDERS), min_size=1, max_size=2, unique_by=lambda one: one.name)


def in_order(rows: dict[int, tuple[int, str]], by: list[Order]) -> list[int]:
    """The ids as the list must show them."""
    found = sorted(rows, reverse=by[0].descending)
    for order in reversed(by):
        column = "ab".index(order.name)
        found.sort(key=lambda key: rows[key][column], reverse=order.descending)
    return found


def fill(conn: psycopg.Connection[Any], rows: dict[int, tuple[int, str]]) -> None:
    conn.execute("TRUNCATE listed")
    for key, (a, b) in rows.items():
        conn.execute("INSERT INTO listed VALUES (%s, %s, %s)", (key, a, b))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    before=tables,
    after=tables,
    by=orders,
    limit=st.integers(1, 7),
    is_spread=st.booleans(),
    is_crowded=st.booleans(),
)
def test_pages_show_what_stays_once_and_in_order(
    connection: psycopg.Connection[Any],
    before: dict[int, tuple[int, str]],
    after: dict[int, tuple[int, str]],
    by: list[Order],
    limit: int,
    *,
    is_spread: bool,
    is_crowded: bool,
) -> None:
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS listed (id bigint, a bigint, b text)")
    conditions = Conditions()
    if is_spread:
        # Two ways that overlap, of which one looks up each value.
        conditions.ways += [Way([Spread("b", "text", ["x", "y", "z", "x"])]), Way()]
    elif is_crowded:
        # Most of the values nobody has: each row is among the first few of one that some have.
        values = [*"uvwxyz", *map(str, range(30))]
        conditions.ways.append(Way([Spread("b", "text", values)], is_crowded=True))
    fill(connection, before)
    first = ROWS.page(connection, ["id"], conditions, Window(by, limit))
    shown = [key for (key,) in first.rows]
    assert shown == in_order(before, by)[:limit]
    # The rows of the first page stay as they are, so that it is known what comes behind it.
    changed = {**after, **{key: before[key] for key in shown}}
    fill(connection, changed)
    last, position = shown[-1:], first.after
    while position is not None:
        page = ROWS.page(connection, ["id"], conditions, Window(by, limit, position))
        last += [key for (key,) in page.rows]
        position = page.after
    if first.after is not None:
        ordered = in_order(changed, by)
        assert last == ordered[ordered.index(shown[-1]) :]
