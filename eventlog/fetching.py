"""Asks a question and returns all its rows, with as little of the client's time as possible.

It speaks to libpq itself, as a cursor would take three times as long. The server plans a
question once for a connection that asks it again and again, as far as that serves its values.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import DiagnosticField, Format, TransactionStatus
from psycopg.pq.abc import PGresult

from eventlog.pool import Connection
from eventlog.results import checked

MOST_PREPARED = 100
"""Questions that the server keeps for a connection; the one not asked for longest makes room."""

_KEPT = "rollbook_questions"
_NOT_PREPARED = b"26000"

Row = tuple[Any, ...]


def fetch(conn: Connection, query: str, values: Sequence[object] = ()) -> list[Row]:
    """Return the rows of a query with a `%s` for each value.

    To be used for texts that come back: each is kept. Raises psycopg's errors.
    """
    kept: _Questions | None = vars(conn).get(_KEPT)
    if kept is None:
        kept = vars(conn)[_KEPT] = _Questions(conn)
    return kept.ask(query, values)


class _Questions:
    """What one connection is asked again and again."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._transformer = Transformer(conn)
        self._names: OrderedDict[tuple[str, tuple[int, ...]], bytes | None] = OrderedDict()
        self._made = 0

    def ask(self, query: str, values: Sequence[object]) -> list[Row]:
        transformer = self._transformer
        bound = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        types, formats = transformer.types or (), transformer.formats or []
        result = checked(self._result(query, types, bound, formats))
        transformer.set_pgresult(result)
        try:
            return transformer.load_rows(0, result.ntuples, tuple)
        finally:
            transformer.set_pgresult(None)

    def _result(self, query: str, types: tuple[int, ...], bound: Any, formats: Any) -> PGresult:
        pgconn, question = self._conn.pgconn, (query, types)
        if pgconn.transaction_status != TransactionStatus.IDLE:
            # What is prepared may be gone, and to find that out would end the transaction.
            return pgconn.exec_params(_numbered(query), bound, types, formats, Format.BINARY)
        if question not in self._names:
            self._remember(question, None)
            return pgconn.exec_params(_numbered(query), bound, types, formats, Format.BINARY)
        self._names.move_to_end(question)
        name = self._names[question]
        if name is not None:
            result = pgconn.exec_prepared(name, bound, formats, Format.BINARY)
            # After a rollback psycopg lets go of all prepared statements, these included.
            if result.error_field(DiagnosticField.SQLSTATE) != _NOT_PREPARED:
                return result
        self._made += 1
        name = b"rollbook_question_%d" % self._made
        checked(pgconn.prepare(name, _numbered(query), types))
        self._remember(question, name)
        return pgconn.exec_prepared(name, bound, formats, Format.BINARY)

    def _remember(self, question: tuple[str, tuple[int, ...]], name: bytes | None) -> None:
        self._names[question] = name
        if len(self._names) > MOST_PREPARED:
            _, gone = self._names.popitem(last=False)
            if gone is not None:
                self._conn.pgconn.exec_(b"DEALLOCATE " + gone)


@lru_cache(maxsize=256)
def _numbered(query: str) -> bytes:
    """Return the query with `$1`, `$2` and so on, as the server takes it."""
    first, *rest = query.split("%s")
    return "".join([first, *(f"${n}{part}" for n, part in enumerate(rest, 1))]).encode()
