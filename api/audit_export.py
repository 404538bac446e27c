"""Histories as CSV and NDJSON, page by page; each page is logged before it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from flask import Response
from psycopg import Connection

from api.audit_log import one_more_page, shows
from api.audit_shapes import event_json, person_of, texts_of
from api.exports import CSV, Format, attached
from api.services import services
from audit.history import Step
from audit.trail import TrailWindow, search
from audit.wanted import Wanted

EXPORTED_AT_ONCE = 500

COLUMNS = (
    "position",
    "stream_id",
    "version",
    "topic",
    "summary",
    "effective_at",
    "recorded_at",
    "actor",
    "role",
    "on_behalf_of",
    "reason",
    "texts",
    "correlation_id",
    "causation_id",
    "changes",
    "state",
)

Steps = Sequence[Step]


def exported(form: Format, pages: Iterator[Steps]) -> Response:
    """Return all pages as `form` says. The first is read at once, to tell failures as such."""
    first = next(pages)
    shows(map(person_of, first))
    document = _line if form is CSV else event_json

    def batches() -> Iterator[list[dict[str, Any]]]:
        yield [document(step) for step in first]
        for steps in pages:
            yield [document(step) for step in steps]

    return attached(form, form.write(batches(), COLUMNS))


def searched_pages(
    conn: Connection[Any], wanted: Wanted, window: TrailWindow, at_most: int | None
) -> Iterator[Steps]:
    """Yield every page from the window on, or `at_most` so many events; the first over `conn`."""
    window = replace(window, limit=at_most or EXPORTED_AT_ONCE)
    page = search(conn, services().mapper, wanted, window)
    yield page.steps
    while page.after is not None and at_most is None:
        with services().pool.connection() as own, one_more_page(own):
            page = search(own, services().mapper, wanted, replace(window, after=page.after))
            shows(map(person_of, page.steps))
        yield page.steps


def _line(step: Step) -> dict[str, Any]:
    event = event_json(step)
    changes = [
        f"{change.resource}.{change.field}: {_text(change.before)} -> {_text(change.after)}"
        for change in step.changes
    ]
    texts = [f"{name}: {text}" for name, text in texts_of(step.event).items()]
    state = step.stored.state.decode()
    return event | {"texts": texts, "changes": changes, "topic": step.stored.topic, "state": state}


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
