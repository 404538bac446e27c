"""What rows must meet, as SQL with its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spread:
    """A column that is one of a few values, each of which is looked up in an index of its own.

    `kind` is the SQL type of the values.
    """

    column: str
    kind: str
    values: Sequence[object]


@dataclass(frozen=True, slots=True)
class _Part:
    sql: str
    values: Sequence[object]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to some of the rows: by the values of its spreads, in any of their combinations.

    Attributes:
        also: what these rows must meet besides that all must.
        is_crowded: whether most combinations have more rows than a page.

    """

    spreads: Sequence[Spread] = ()
    also: Conditions | None = None
    is_crowded: bool = False


@dataclass(slots=True)
class Conditions:
    """What rows must meet, and the ways to them.

    Attributes:
        ways: all together find all of the rows; none means to look at every row.

    """

    _parts: list[_Part] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)

    def add(self, sql: str, *values: object) -> None:
        """Ask for `sql` too."""
        self._parts.append(_Part(sql, values))

    def add_given(self, sql: str, value: object | None) -> None:
        """Ask for `sql` too, unless `value` is None."""
        if value is not None:
            self.add(sql, value)

    def add_any(self, column: str, values: Sequence[object] | None) -> None:
        """Ask for one of `values` in the column, unless they are None."""
        if values is not None:
            self._parts.append(_any(column, values))

    def copy(self) -> Conditions:
        """Return the same, to which more can be added."""
        return Conditions([*self._parts], [*self.ways])

    def along(self, way: Way, alias: str) -> Conditions:
        """Return what else must be asked for along `way` over the table `alias`.

        Said twice, a condition would be taken for two by the planner, which then expects too few
        rows and sorts all instead of walking along an index.
        """
        said = [_any(f"{alias}.{spread.column}", spread.values) for spread in way.spreads]
        also = [] if way.also is None else way.also._parts  # noqa: SLF001  # of its own kind
        return Conditions([*(part for part in self._parts if part not in said), *also])

    @property
    def sql(self) -> str:
        """All of it as one expression."""
        return " AND ".join(part.sql for part in self._parts) or "true"

    @property
    def values(self) -> list[object]:
        """What stands for the marks in `sql`."""
        return [value for part in self._parts for value in part.values]


def _any(column: str, values: Sequence[object]) -> _Part:
    # The server takes an array that it does not know for one of ten values.
    if len(values) == 1:
        return _Part(f"{column} = %s", values)
    return _Part(f"{column} = ANY(%s)", (list(values),))
