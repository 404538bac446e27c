"""The rows of one read table: loaded by key, written in sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import astuple
from psycopg.rows import args_row
from psycopg.sql import SQL, Composable, Composed, Identifier

from eventlog.pool import Connection
from projections.columns import columns_of, row_maker
from projections.fold import Amounts, Entry, Folded, Key, add_up
from projections.remembered import UNKNOWN, Remembered
from projections.table import ReadTable, Summary, SumTable
from projections.writing import COPIED_ROWS, Copying, Staging, Writing


class Rows:
    """Rows of a table in one schema, of which nobody else may write any meanwhile.

    It remembers some. After anything failed, make a new one.
    """

    def __init__(self, table: ReadTable[Any], schema: str) -> None:
        self._table = table
        self._make = row_maker(table.row)
        self._select = _select(table, schema)
        self._upsert = upsert(table, schema)
        self._delete = _delete(table, schema)
        columns = columns_of(table.row)
        self._copying = Copying(schema, table.name, columns, astuple)
        self._changing = Staging(
            f"changed_{table.name}", columns, astuple, partial(_update, table, schema)
        )
        self._summaries = [SummaryRows(summary, schema) for summary in table.summaries]
        self._remembered = Remembered()

    def load(
        self,
        conn: Connection,
        by_key: Mapping[Key, Sequence[Entry]],
        settle: Callable[[], None],  # noqa: ARG002  # what is not written is remembered
    ) -> list[Any]:
        """Return the row that the events of each key concern, None where there is none."""
        rows, begins = self._remembered.of(by_key), self._table.begins
        missing = [
            key
            for (key, entries), row in zip(by_key.items(), rows, strict=True)
            if row is UNKNOWN and not begins(entries[0][1])
        ]
        found = {}
        if missing:
            with conn.cursor(binary=True, row_factory=args_row(self._make)) as cursor:
                values = [*map(self._table.value_of, missing)]
                cursor.execute(self._select, (values,), prepare=True)
                found = {self._table.key_of(row): row for row in cursor}
        return [
            found.get(key) if row is UNKNOWN else row for key, row in zip(by_key, rows, strict=True)
        ]

    def writing(self, conn: Connection, folded: Folded) -> Writing:
        """Return what writes a batch. A summary's rows with nothing in them are removed."""
        writing = Writing(conn)
        upserted = []
        if len(folded.added) < COPIED_ROWS:
            upserted += folded.added
        else:
            self._copying.write(folded.added, writing)
        if len(folded.changed) < COPIED_ROWS:
            upserted += folded.changed
        else:
            self._changing.write(folded.changed, writing)
        if upserted:
            writing.statements.append((self._upsert, (as_json(upserted),)))
        if folded.gone:
            writing.statements.append((self._delete, (folded.gone,)))
        for summary in self._summaries:
            summary.write(folded.summaries[summary.name], writing)
        return writing

    def remember(self, rows: Mapping[Key, Any]) -> None:
        """Keep rows that were folded for the next batch, and let go of old ones."""
        self._remembered.keep(rows)


Added = tuple[tuple[object, ...], Sequence[int]]
"""The key of a summary's row, and what is added to its amounts."""


class SummaryRows:
    """What is stored of one summary, to which amounts are added. The sums are never negative."""

    def __init__(self, summary: Summary[Any], schema: str) -> None:
        self.name = summary.name
        key = [*summary.key]
        self._stored = [
            ([key.index(column) for column in stored.key], AddedRows(stored, schema))
            for stored in summary.stored
        ]

    def write(self, net: Amounts, writing: Writing) -> None:
        """Let `writing` add amounts, and remove the rows with nothing in them."""
        for columns, rows in self._stored:
            added = _added(_rolled_up(net, columns))
            rows.write(added, [one for one in added if min(one[1]) < 0], writing)


class AddedRows:
    """The rows of one SQL table to which amounts are added."""

    def __init__(self, summary: SumTable, schema: str) -> None:
        self._columns = (*summary.key, *summary.amounts)
        self._values_of = summary.values_of
        self._add = _add_amounts(summary, schema)
        self._remove = _remove_empty(summary, schema)

    def write(
        self, added: Sequence[Added], may_be_empty: Sequence[Added], writing: Writing
    ) -> None:
        """Let `writing` add amounts, and remove those rows of which nothing is left then."""
        if added:
            writing.statements.append((self._add, (self._as_json(added),)))
        if may_be_empty:
            writing.statements.append((self._remove, (self._as_json(may_be_empty),)))

    def _as_json(self, lines: Iterable[Added]) -> str:
        values = ((*self._values_of(key), *amounts) for key, amounts in lines)
        return as_json([dict(zip(self._columns, line, strict=True)) for line in values])


def _added(net: Amounts) -> list[Added]:
    """Return what is not nothing."""
    return [(key, amounts) for key, amounts in net.items() if any(amounts)]


def _rolled_up(net: Amounts, columns: Sequence[int]) -> Amounts:
    """Return the sums by some columns of the key."""
    sums: Amounts = {}
    kept = ((0, tuple([key[column] for column in columns]), net[key]) for key in net)
    add_up([sums], kept)
    return sums


def as_json(rows: list[Any]) -> str:
    """Return rows as the statements here take them."""
    return msgspec.json.encode(rows).decode()


def _select(table: ReadTable[Any], schema: str) -> bytes:
    return (
        SQL("SELECT {} FROM {} WHERE {} = ANY(%s)")
        .format(
            _names(column.name for column in columns_of(table.row)),
            Identifier(schema, table.name),
            Identifier(table.key),
        )
        .as_bytes()
    )


def upsert(table: ReadTable[Any], schema: str) -> bytes:
    """Return the statement that writes rows, given as a JSON list."""
    names = [column.name for column in columns_of(table.row)]
    return (
        SQL(
            "INSERT INTO {name} ({columns})"
            " SELECT {columns} FROM json_populate_recordset(NULL::{name}, %s::json)"
            " ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ROW({excluded})"
        )
        .format(
            name=Identifier(schema, table.name),
            columns=_names(names),
            key=_names(table.primary_key),
            excluded=SQL(", ").join(Identifier("excluded", name) for name in names),
        )
        .as_bytes()
    )


def _update(table: ReadTable[Any], schema: str, place: Composable) -> Composed:
    """Return the statement that gives rows the values that stand under their keys in `place`."""
    names = [column.name for column in columns_of(table.row) if column.name != table.key]
    return SQL(
        "UPDATE {name} AS held SET ({columns}) = ROW({values})"
        " FROM {place} AS new WHERE held.{key} = new.{key}"
    ).format(
        name=Identifier(schema, table.name),
        columns=_names(names),
        values=SQL(", ").join(Identifier("new", name) for name in names),
        place=place,
        key=Identifier(table.key),
    )


def _delete(table: ReadTable[Any], schema: str) -> bytes:
    return (
        SQL("DELETE FROM {} WHERE {} = ANY(%s)")
        .format(Identifier(schema, table.name), Identifier(table.key))
        .as_bytes()
    )


def _add_amounts(summary: SumTable, schema: str) -> bytes:
    sums = [SQL("{0} = held.{0} + excluded.{0}").format(Identifier(n)) for n in summary.amounts]
    return (
        SQL(
            "INSERT INTO {name} AS held ({columns})"
            " SELECT {columns} FROM json_populate_recordset(NULL::{name}, %s::json)"
            " ON CONFLICT ({key}) DO UPDATE SET {sums}"
        )
        .format(
            name=Identifier(schema, summary.name),
            columns=_names((*summary.key, *summary.amounts)),
            key=_names(summary.key),
            sums=SQL(", ").join(sums),
        )
        .as_bytes()
    )


def _remove_empty(summary: SumTable, schema: str) -> bytes:
    same = [SQL("held.{0} = fallen.{0}").format(Identifier(name)) for name in summary.key]
    empty = [SQL("held.{} = 0").format(Identifier(name)) for name in summary.amounts]
    return (
        SQL(
            "DELETE FROM {name} AS held"
            " USING json_populate_recordset(NULL::{name}, %s::json) AS fallen WHERE {conditions}"
        )
        .format(
            name=Identifier(schema, summary.name),
            conditions=SQL(" AND ").join((*same, *empty)),
        )
        .as_bytes()
    )


def _names(names: Iterable[str]) -> Composable:
    return SQL(", ").join(map(Identifier, names))
