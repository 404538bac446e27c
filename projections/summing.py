"""What rows add up to in a summary, told by the database instead of kept up with each change."""

from __future__ import annotations

from typing import Any

from projections.table import Summary, SumTable


def summing(summary: Summary[Any], stored: SumTable, rows: str) -> str:
    """Return the query of what `stored` holds of a summary; none of its sums are empty.

    The `rows` are SQL: a table of them with a condition, as in "rows WHERE true".
    """
    told = summary.in_sql
    key = [f"{told.key[name]} AS {name}" for name in stored.key]
    amounts = [f"{told.amounts[name]} AS {name}" for name in stored.amounts]
    numbers = ", ".join(str(number) for number, _ in enumerate(key, start=1))
    return f"SELECT {', '.join([*key, *amounts])} FROM {rows} AND {told.among} GROUP BY {numbers}"  # noqa: S608  # made of constants
