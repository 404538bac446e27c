"""Asks questions and returns all their rows, with as little of the client's time as possible.

It speaks to libpq itself, as a cursor would take three times as long. The server plans a
question once for a connection that asks it again and again, as far as that serves its values.
Questions whose answers are not needed at once go together with the next one: to wait for the
server is what costs the client most.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from weakref import ref

from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import DiagnosticField, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult

from eventlog.pool import Connection
from eventlog.results import checked
from eventlog.silence import AnsweredConnection, results_of
from eventlog.watchdog import watched

MOST_PREPARED = 100
"""Questions that the server keeps for a connection; the one not asked for longest makes room."""

_SUCCESS = {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}
_KEPT = "rollbook_questions"
_NOT_PREPARED = b"26000"

Row = tuple[Any, ...]


def fetch(conn: Connection, query: str, values: Sequence[object] = ()) -> list[Row]:
    """Return the rows of a query with a `%s` for each value.

    To be used for texts that come back: each is kept. Raises psycopg's errors.
    """
    return put(conn, query, values).rows()


def put(conn: Connection, query: str, values: Sequence[object] = ()) -> Question:
    """Return the question that `fetch` asks, to be sent together with the next one.

    Where the question itself is let go before, it is not asked.
    """
    kept: _Questions | None = vars(conn).get(_KEPT)
    if kept is None:
        kept = vars(conn)[_KEPT] = _Questions(conn)
    return kept.put(query, values)


@dataclass(slots=True, eq=False, weakref_slot=True)
class Question:
    """A query that is put to the server, with its values as they are sent."""

    _asked: _Questions
    query: str
    values: Sequence[Any]
    types: tuple[int, ...]
    formats: Sequence[Any]
    result: PGresult | None = None

    def rows(self) -> list[Row]:
        """Return what the server answers. Raises psycopg's errors."""
        return self._asked.rows(self)


class _Questions:
    """What one connection is asked, again and again."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._transformer = Transformer(conn)
        self._names: OrderedDict[tuple[str, tuple[int, ...]], bytes | None] = OrderedDict()
        self._made = 0
        self._waiting: list[ref[Question]] = []

    def put(self, query: str, values: Sequence[object]) -> Question:
        transformer = self._transformer
        bound = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        types, formats = transformer.types or (), transformer.formats or ()
        question = Question(self, query, bound, types, formats)
        self._waiting.append(ref(question))
        return question

    def rows(self, question: Question) -> list[Row]:
        result, transformer = checked(question.result or self._settled(question)), self._transformer
        transformer.set_pgresult(result)
        try:
            return transformer.load_rows(0, result.ntuples, tuple)
        finally:
            transformer.set_pgresult(None)

    def _settled(self, question: Question) -> PGresult:
        """Have all that waits answered, and return the answer to this one."""
        waiting = [one for waits in self._waiting if (one := waits()) is not None]
        self._waiting.clear()
        if waiting == [question] and self._is_answered_alone(question):
            return cast("PGresult", question.result)
        while waiting:
            # Behind one that it refuses the server answers nothing: that is asked anew.
            waiting = waiting[self._exchange(waiting) :]
        return cast("PGresult", question.result)

    def _is_answered_alone(self, question: Question) -> bool:
        """Ask one that the server keeps, for which a pipeline would take twice as long.

        Return False, with nothing done, when it is no such question.
        """
        conn, key = self._conn, (question.query, question.types)
        name = self._names.get(key)
        if name is None or conn.pgconn.transaction_status != TransactionStatus.IDLE:
            return False
        # One without a limit is waited for in small steps, between which it can be interrupted.
        if not isinstance(conn, AnsweredConnection) or conn.is_unlimited:
            return False
        self._names.move_to_end(key)
        bound, formats = question.values, question.formats
        try:
            with watched(conn):
                question.result = conn.pgconn.exec_prepared(name, bound, formats, Format.BINARY)
        except BaseException:
            # Whatever comes now would be taken for the answer to something else.
            self._conn.close()
            raise
        if question.result.error_field(DiagnosticField.SQLSTATE) != _NOT_PREPARED:
            return True
        self._names.clear()
        return False

    def _exchange(self, questions: Sequence[Question]) -> int:
        """Ask the questions at once, and return how many of them were answered."""
        pgconn = self._conn.pgconn
        # What is prepared may be gone, and to find that out would end a transaction.
        may_prepare = pgconn.transaction_status == TransactionStatus.IDLE
        pgconn.enter_pipeline_mode()
        try:
            sent = [self._send(question, may_prepare=may_prepare) for question in questions]
            pgconn.pipeline_sync()
            results = results_of(self._conn)
        except BaseException:
            # Whatever comes now would be taken for the answer to something else.
            self._conn.close()
            raise
        pgconn.exit_pipeline_mode()
        for number, (question, commands) in enumerate(zip(questions, sent, strict=True)):
            own, results = results[:commands], results[commands:]
            result = next((one for one in own if one.status not in _SUCCESS), own[-1])
            if result.status == ExecStatus.PIPELINE_ABORTED:
                return number
            if result.error_field(DiagnosticField.SQLSTATE) == _NOT_PREPARED:
                # After a rollback psycopg lets go of all prepared statements, these included.
                self._names.clear()
                return number
            question.result = result
        return len(questions)

    def _send(self, question: Question, *, may_prepare: bool) -> int:
        """Send what it takes, the question last; return of how many commands that is."""
        pgconn, query = self._conn.pgconn, _numbered(question.query)
        key, bound, formats = (question.query, question.types), question.values, question.formats
        if not may_prepare or key not in self._names:
            before = self._remember(key) if may_prepare else 0
            pgconn.send_query_params(query, bound, question.types, formats, Format.BINARY)
            return before + 1
        self._names.move_to_end(key)
        name, before = self._names[key], 0
        if name is None:
            self._made, before = self._made + 1, 1
            name = self._names[key] = b"rollbook_question_%d" % self._made
            pgconn.send_prepare(name, query, question.types)
        pgconn.send_query_prepared(name, bound, formats, Format.BINARY)
        return before + 1

    def _remember(self, key: tuple[str, tuple[int, ...]]) -> int:
        """Have a question prepared when it comes back; return how many others are let go."""
        self._names[key] = None
        if len(self._names) <= MOST_PREPARED:
            return 0
        _, gone = self._names.popitem(last=False)
        if gone is None:
            return 0
        self._conn.pgconn.send_query_params(b"DEALLOCATE " + gone, None)
        return 1


@lru_cache(maxsize=256)
def _numbered(query: str) -> bytes:
    """Return the query with `$1`, `$2` and so on, as the server takes it."""
    first, *rest = query.split("%s")
    return "".join([first, *(f"${n}{part}" for n, part in enumerate(rest, 1))]).encode()
