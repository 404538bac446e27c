"""How many there are: a part of the question that asks for some of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from psycopg import Connection

from projections.as_of import AsOf, ask
from projections.conditions import Conditions
from projections.ranges import Range
from projections.steps import Steps


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


def count_by_steps(
    steps: Steps,
    wanted: Range,
    count_whole: Callable[[Range], Count],
    count_end: Callable[[Range], Count],
) -> Count:
    """Return how many are in a range: whole steps by their beginnings, its ends by themselves."""
    whole, ends = steps.parts(wanted)
    return reduce(add, map(count_end, ends), NOTHING if whole is None else count_whole(whole))


def told(conn: Connection[Any] | AsOf, count: Count) -> int | None:
    """Return the number alone."""
    [(number,)] = ask(conn, f"SELECT {count.sql}", count.values)
    return None if number is None else int(number)
