"""How many there are: a part of the question that asks for some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from psycopg import Connection

from projections.as_of import ask
from projections.conditions import Conditions
from projections.levels import Levels
from projections.ranges import Range


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number as SQL, with its values; null where it would take too long to be told."""

    sql: str
    values: Sequence[object] = ()

    def __add__(self, other: Count) -> Count:
        """Return the sum, null where one is."""
        return Count(f"({self.sql} + {other.sql})", [*self.values, *other.values])

    def __sub__(self, other: Count) -> Count:
        """Return the difference, null where one is."""
        return Count(f"({self.sql} - {other.sql})", [*self.values, *other.values])


NOTHING = Count("0::bigint")
UNKNOWN = Count("NULL::bigint")


def sum_of(amounts: str, table: str, conditions: Conditions) -> Count:
    """Return what the amounts of a table's rows that meet the conditions come to."""
    sums = f"SELECT coalesce(sum({amounts}), 0)::bigint FROM {table} WHERE {conditions.sql}"  # noqa: S608  # made of constants
    return Count(f"({sums})", conditions.values)


def sum_by_levels(
    amounts: str, table: str, conditions: Conditions, levels: Levels, wanted: Range
) -> Count:
    """Return the same of the rows in a range, from two tables.

    `table` has the fine column, `<table>_by_<coarse column>` the coarse one.
    """
    counts = []
    for column, part in levels.parts(wanted):
        narrower = conditions.copy()
        part.add_to(narrower, column)
        name = table if column == levels.fine else f"{table}_by_{levels.coarse}"
        counts.append(sum_of(amounts, name, narrower))
    return reduce(add, counts)


def told(conn: Connection[Any], count: Count) -> int | None:
    """Return the number alone."""
    [(number,)] = ask(conn, f"SELECT {count.sql}", count.values)
    return None if number is None else int(number)
