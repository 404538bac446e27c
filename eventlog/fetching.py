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
from psycopg.pq import DiagnosticField, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult

from eventlog.pool import Connection
from eventlog.results import checked
from eventlog.silence import AnsweredConnection, result_of
from eventlog.watchdog import watched

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
    return kept.rows(query, values)


class _Questions:
    """What one connection is asked, again and again."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._transformer = Transformer(conn)
        self._names: OrderedDict[tuple[str, tuple[int, ...]], bytes | None] = OrderedDict()
        self._made = 0

    def rows(self, query: str, values: Sequence[object]) -> list[Row]:
        transformer = self._transformer
        bound = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        result = checked(self._result(query, bound))
        transformer.set_pgresult(result)
        try:
            return transformer.load_rows(0, result.ntuples, tuple)
        finally:
            transformer.set_pgresult(None)

    def _result(self, query: str, bound: Sequence[Any]) -> PGresult:
        types, formats = self._transformer.types or (), self._transformer.formats or ()
        try:
            name = self._name(query, types)
            if name is not None:
                result = self._run(name, bound, formats)
                if result.error_field(DiagnosticField.SQLSTATE) != _NOT_PREPARED:
                    return result
                # After a rollback psycopg lets go of all prepared statements, these included.
                self._names.clear()
            pgconn = self._conn.pgconn
            pgconn.send_query_params(_numbered(query), bound, types, formats, Format.BINARY)
            return result_of(self._conn)
        except BaseException:
            # Whatever comes now would be taken for the answer to something else.
            self._conn.close()
            raise

    def _run(self, name: bytes, bound: Sequence[Any], formats: Sequence[Any]) -> PGresult:
        conn = self._conn
        if isinstance(conn, AnsweredConnection) and not conn.is_unlimited:
            with watched(conn):
                return conn.pgconn.exec_prepared(name, bound, formats, Format.BINARY)
        # What may take for ever is waited for in small steps, between which it can be interrupted.
        conn.pgconn.send_query_prepared(name, bound, formats, Format.BINARY)
        return result_of(conn)

    def _name(self, query: str, types: tuple[int, ...]) -> bytes | None:
        """Return under which name the server keeps a question, None where it does not.

        It does from the second time on.
        """
        # What is prepared may be gone, and to find that out would end a transaction.
        if self._conn.pgconn.transaction_status != TransactionStatus.IDLE:
            return None
        key = query, types
        if key not in self._names:
            self._remember(key)
            return None
        self._names.move_to_end(key)
        name = self._names[key]
        return self._prepared(query, types) if name is None else name

    def _prepared(self, query: str, types: tuple[int, ...]) -> bytes | None:
        name = b"rollbook_question_%d" % self._made
        self._made += 1
        self._conn.pgconn.send_prepare(name, _numbered(query), types)
        # One that the server refuses to keep it refuses to answer, too.
        if result_of(self._conn).status != ExecStatus.COMMAND_OK:
            return None
        self._names[query, types] = name
        return name

    def _remember(self, key: tuple[str, tuple[int, ...]]) -> None:
        """Have a question kept when it comes back, and let go of the one not asked for longest."""
        self._names[key] = None
        if len(self._names) > MOST_PREPARED:
            _, gone = self._names.popitem(last=False)
            if gone is not None:
                self._conn.pgconn.send_query_params(b"DEALLOCATE " + gone, None)
                result_of(self._conn)


@lru_cache(maxsize=256)
def _numbered(query: str) -> bytes:
    """Return the query with `$1`, `$2` and so on, as the server takes it."""
    first, *rest = query.split("%s")
    return "".join([first, *(f"${n}{part}" for n, part in enumerate(rest, 1))]).encode()
