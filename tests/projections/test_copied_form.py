"""Whatever a row holds, it comes back from PostgreSQL as it was copied."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple, replace
from psycopg.sql import SQL

from eventlog.pool import open_connection
from projections.columns import columns_of, row_maker
from projections.copied_form import UnwritableRowError
from projections.row import Row
from projections.writing import Copying, Writing


class Part(Row, frozen=True):
    """A document in a row."""

    said: str
    on: date | None


class Everything(Row, frozen=True):
    """A row with a column of every type, and of each one that may be null."""

    some_id: UUID
    text: str
    number: int
    share: float
    is_so: bool
    day: date
    moment: datetime
    amount: Decimal
    tags: tuple[str, ...]
    parts: tuple[Part, ...]
    no_id: UUID | None
    no_text: str | None
    no_number: int | None
    no_share: float | None
    is_not_so: bool | None
    no_day: date | None
    no_moment: datetime | None
    no_amount: Decimal | None
    no_tags: tuple[str, ...] | None


# PostgreSQL's own limits are wider than Python's for days and moments, and it has no NUL.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
awkward = st.sampled_from(
    ["", "null", "\\N", "\\.", 'a "quote"', "tab\tand\nline\r\n", "{,}", "ä€"]
)
numbers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False)
moments = st.datetimes(timezones=st.just(UTC)).map(lambda it: it.replace(fold=0))
amounts = st.decimals(-(10**12), 10**12, places=4).filter(lambda it: it != 0 or not it.is_signed())
tags = st.lists(texts | awkward, max_size=4).map(tuple)
parts = st.lists(st.builds(Part, texts | awkward, st.none() | st.dates()), max_size=3).map(tuple)
rows = st.builds(
    Everything,
    *(st.uuids(), texts | awkward, numbers, floats, st.booleans(), st.dates(), moments),
    *(amounts, tags, parts),
    *map(
        st.none().__or__,
        (st.uuids(), texts | awkward, numbers, floats, st.booleans(), st.dates(), moments),
    ),
    *(st.none() | amounts, st.none() | tags),
)

COLUMNS = columns_of(Everything)
COPYING = Copying("pg_temp", "everything", COLUMNS, astuple)


def copied(url: str, given_rows: list[Everything]) -> list[Any]:
    """The rows as the database has them after they were copied into it."""
    columns = ", ".join(f"{column.name} {column.sql_type}" for column in COLUMNS)
    with open_connection(url) as conn:
        conn.execute(f"CREATE TEMP TABLE everything ({columns})".encode())
        writing = Writing(conn)
        COPYING.write(given_rows, writing)
        writing.copy(conn)
        cursor = conn.execute(SQL("SELECT * FROM everything"), binary=True)
        return [row_maker(Everything)(*values) for values in cursor]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(rows, max_size=8))
def test_a_row_with_values_of_every_type_comes_back_the_same(
    database_url: str, given_rows: list[Everything]
) -> None:
    found = copied(database_url, given_rows)
    # 0.0 and -0.0 are equal, and so are 1.0 and 1.00, but they are not the same.
    assert list(map(repr, found)) == list(map(repr, given_rows))


@pytest.mark.parametrize("change", [{"number": 2**63}, {"text": 5}, {"text": "\ud800"}])
def test_a_row_with_a_value_that_its_column_cannot_take_is_refused(
    database_url: str, change: dict[str, Any]
) -> None:
    row = Everything(
        *(UUID(int=1), "", 0, 0.0, True, date.min, datetime.min.replace(tzinfo=UTC)),
        *(Decimal(1), (), ()),
        *([None] * 9),
    )
    assert copied(database_url, [row]) == [row]
    with pytest.raises(UnwritableRowError):
        copied(database_url, [replace(row, **change)])
