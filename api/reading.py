"""A query is answered from the tables in one state, and says which one that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, cast

from flask import g

from api.at_least import awaited
from api.caching import (
    cached,
    etag_in,
    held_etags,
    held_in,
    is_held,
    not_modified,
    state_tag,
)
from api.clock import is_answered_on
from api.etags import ETAG
from api.moments import asked_moment, in_utc
from api.problems import FieldError, invalid, not_ready
from api.services import services
from api.shown import POSITION, Shown, shows_only
from api.wire import Answer, Answered
from eventlog.pool import Connection, borrowed
from projections import parked
from projections.as_of import AsOf
from projections.histories import HISTORIES
from projections.sight import State
from projections.tables_of_then import NoHistoryError

AS_OF = "Rollbook-As-Of"
KNOWN_AT = "Rollbook-Known-At"
HELD_UP = "Rollbook-Held-Up"

_HISTORIES = tuple(table.name for table in HISTORIES)


def showing(
    tables: tuple[str, ...], *, is_cached: bool
) -> Callable[[Callable[..., Answered]], Callable[..., Answered]]:
    """Give the decorated query a connection, and its answer the position that it shows.

    With `Rollbook-At-Least` it waits until all `tables` are there. Without tables there is
    nothing to wait for, and no position to show. Asked of the past, it is given the tables
    as they were then, and the answer tells both times. What `is_cached` shows nothing but
    the tables and the directory, and is not asked for where the caller holds it already.
    """

    def decorate(query: Callable[..., Answered]) -> Callable[..., Answered]:
        @wraps(query)
        def at_least(*args: Any, **ids: Any) -> Answered:
            moment = asked_moment()
            read = tables if moment is None else _HISTORIES
            reading = Reading(read, partial(_shown, query, args), is_cached=is_cached)
            answer = reading.answer(ids)
            if moment is not None:
                answer.headers[AS_OF] = in_utc(moment.as_of)
                answer.headers[KNOWN_AT] = in_utc(moment.known_at)
            elif is_cached:
                is_answered_by(reading, answer)
            return answer

        return at_least

    return decorate


@dataclass(frozen=True, slots=True)
class Reading:
    """What answers a read, whenever it is asked, for whichever ids.

    Attributes:
        tables: what is read.
        show: gives the answer to the present request, from the ids in its path.
        is_cached: whether that shows nothing but the tables and the directory.
    """

    tables: tuple[str, ...]
    show: Callable[..., Answered]
    is_cached: bool

    def answer(self, ids: Mapping[str, Any]) -> Answered:
        """Return the answer, which shows the tables at the position that is asked for, or later."""
        show = partial(self.show, ids)
        if not (self.tables or self.is_cached):
            return show()
        position = awaited(self.tables)
        # Looked at before the rows, so that it never claims more than they show.
        state = services().sight.state(services().pool, self.tables, position)
        if not state.filled:
            raise not_ready("The tables that it reads are still filled from the log.")
        is_answered_on(state.day)
        answer = _in_state(self.tables, state, show) if self.is_cached else show()
        if state.parked:
            _mark(answer, self.tables)
        if self.tables:
            answer.headers[POSITION] = str(state.position or 0)
        return answer


@dataclass(frozen=True, slots=True)
class Source:
    """What gave the answer to the present request, and the headers that it has from that."""

    reading: Reading
    headers: Sequence[tuple[str, str]]


def is_answered_by(reading: Reading, answer: Answered) -> None:
    """Say what gave the answer to the present request."""
    g.source = Source(reading, list(answer.headers.items()))


def source() -> Source | None:
    """Return what gave the answer, None where it was nothing that does so again."""
    found: Source | None = g.get("source")
    return found


def _in_state(tables: tuple[str, ...], state: State, show: Callable[[], Answered]) -> Answered:
    """Return what is shown in this state, or that the caller has it.

    A resource has an ETag of its own, which the caller may hold instead.
    """
    held = held_etags()
    # What is shown of the past is logged, each time that it is.
    if asked_moment() is None:
        shows_only(Shown(tables, state))
    if held and (etag := held_in(state_tag(state), held)):
        return not_modified(etag)
    answer = show()
    if ETAG not in answer.headers:
        answer = cached(answer, etag_in(state_tag(state), answer))
    own = answer.headers[ETAG]
    return not_modified(own) if is_held(own, held) else answer


def asked_of(conn: Connection) -> Connection:
    """Return the connection for queries of this request: to the tables as of when it asks."""
    moment = asked_moment()
    if moment is None:
        return conn
    return cast("Connection", AsOf(conn, moment, services().mapper))


def _shown(query: Callable[..., Answered], args: Sequence[Any], ids: Mapping[str, Any]) -> Answered:
    # Nothing of a read is to be committed, which would take as long as a query.
    with borrowed(services().pool) as conn:
        try:
            return query(asked_of(conn), *args, **ids)
        except NoHistoryError:
            raise invalid([FieldError("as_of", "cannot be asked here")]) from None


def _mark(answer: Answered, tables: Sequence[str]) -> None:
    """Name in a header the rows of the answer that a parked event holds up."""
    if not isinstance(answer, Answer):
        return
    with borrowed(services().pool) as conn:
        keys = parked.shown(conn, tables, answer.body.decode())
    if keys:
        answer.headers[HELD_UP] = ", ".join(keys)
