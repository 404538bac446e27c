"""Whole lists, streamed in bounded memory: pages of rows, and a connection for each page alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Response, request, stream_with_context
from marshmallow import Schema
from psycopg import Connection

from api.asked import asked
from api.audit_log import one_more_page
from api.correlation import trace_id
from api.csv_rows import Line, columns_of, csv_lines
from api.load import hold_stream
from api.problems import Problem, ProblemError
from api.reading import asked_of
from api.selection import Selection
from api.services import services
from api.unread_answers import give_up_unread
from projections.conditions import Conditions
from projections.keyset import Window

logger = logging.getLogger(__name__)

BROKEN_OFF = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "broken_off",
    "The list broke off here and is not complete. Ask for it again.",
)

Batch = Sequence[Line]
Write = Callable[[Iterator[Batch], Sequence[str]], Iterator[bytes]]


@dataclass(frozen=True)
class Format:
    """A way to write down a list."""

    name: str
    media_type: str
    write: Write
    last_line: Callable[[Problem], bytes]
    """The line at the end of a list that broke off."""


def _ndjson(batches: Iterator[Batch], _: Sequence[str]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for batch in batches:
        yield encoder.encode_lines(batch)


def _csv_problem(problem: Problem) -> bytes:
    return f'"{problem.code}: {problem.detail}"\r\n'.encode()


def _ndjson_problem(problem: Problem) -> bytes:
    return msgspec.json.encode(problem.document(trace_id())) + b"\n"


CSV = Format("csv", "text/csv", csv_lines, _csv_problem)
NDJSON = Format("ndjson", "application/x-ndjson", _ndjson, _ndjson_problem)
FORMATS = {one.name: one for one in (CSV, NDJSON)}


def wanted_format(given: str | None) -> Format | None:
    """Return the format that the parameter or else `Accept` asks for; None for a page of JSON."""
    if given is not None:
        return FORMATS.get(given)
    accepted = asked().headers.get("Accept", "")
    if not any(one.media_type in accepted for one in FORMATS.values()):
        return None
    by_type = {one.media_type: one for one in FORMATS.values()}
    best = asked().accept_mimetypes.best_match(["application/json", *by_type])
    return by_type.get(best or "")


def exported(
    conn: Connection[Any],
    form: Format,
    shape: type[Schema],
    selection: Selection,
    conditions: Conditions,
    asked: Window,
    at_most: int | None,
) -> Response:
    """Return the rows from the window on, `at_most` so many, written as `form` says.

    The first rows are fetched before the answer begins, so that most failures are told as
    such. After a later one the last line is a problem, as `broken_off`.
    """
    batches = _batches(conn, selection, conditions, asked, at_most)
    first = next(batches)

    def all_batches() -> Iterator[Batch]:
        yield first
        yield from batches

    return attached(form, form.write(all_batches(), columns_of(shape, selection)))


def attached(form: Format, body: Iterator[bytes], ending: str | None = None) -> Response:
    """Return the answer that streams `body` as a file, whose name ends as its form's or so.

    Raises a 503 problem when too many are streamed already.
    """
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    name = f"{request.path.rpartition('/')[2]}-{day}.{ending or form.name}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept"}
    content_type = f"{form.media_type}; charset=utf-8"
    whole = stream_with_context(_told_when_broken_off(form, body))
    response = Response(whole, headers=headers, content_type=content_type)
    give_up_unread(services().policy.client_seconds)
    if request.method != "HEAD":
        hold_stream(response)
    return response


def _told_when_broken_off(form: Format, body: Iterator[bytes]) -> Iterator[bytes]:
    # A server may end the answer in good order although its rows ended with an exception.
    try:
        yield from body
    except Exception as error:  # whatever it is, the list is not whole
        logger.exception("export broke off")
        yield form.last_line(error.problem if isinstance(error, ProblemError) else BROKEN_OFF)


def _batches(
    conn: Connection[Any],
    selection: Selection,
    conditions: Conditions,
    asked: Window,
    at_most: int | None,
) -> Iterator[Batch]:
    """Yield the documents page by page, the first of them over `conn`."""
    window, left = _bounded(asked, at_most), at_most
    page = selection.listing.page(conn, selection.columns, conditions, window)
    yield selection.documents(conn, page.rows)
    while page.after is not None:
        left = None if left is None else left - len(page.rows)
        if left == 0:
            return
        window = _bounded(replace(asked, after=page.after), left)
        with services().pool.connection() as own, one_more_page(own):
            then = asked_of(own)
            page = selection.listing.page(then, selection.columns, conditions, window)
            batch = selection.documents(then, page.rows)
        yield batch


def _bounded(window: Window, left: int | None) -> Window:
    return window if left is None else replace(window, limit=min(window.limit, left))
