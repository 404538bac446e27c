"""Asks the tables for a read that is like one before, without deciding again how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask, Request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wsgi import get_path_info

from api.access import calls
from api.asked import is_asked
from api.kept_answers import Asking, KeptAnswer
from api.load import Load
from api.paths import Malformed
from api.shown import what_is_shown
from api.ways import Way, Ways
from api.wire import Answer, Answered

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Ahead:
    """Answers in the place of an application what it has answered the like of."""

    def __init__(self, app: Flask, ways: Ways, load: Load) -> None:
        """Know the `ways` that are those of `app`, and share its load."""
        self._app = app
        self._urls = app.url_map.bind("rollbook")
        self._ways = ways
        self._load = load

    def answer(self, asking: Asking, environ: WSGIEnvironment) -> KeptAnswer | None:
        """Return what the tables say now, None where it is not known how to ask them.

        Raises whatever else comes of it, as a view does.
        """
        found = self._way(asking, environ)
        if found is None:
            return None
        way, ids = found
        with self._load.turns, self._app.app_context():
            calls(asking.identity, way.permission)
            is_asked(Request(environ))
            return _kept(asking, way, way.reading.answer(ids))

    def _way(
        self, asking: Asking, environ: WSGIEnvironment
    ) -> tuple[Way, Mapping[str, Any]] | None:
        try:
            rule, ids = self._urls.match(get_path_info(environ), "GET", return_rule=True)
        except (HTTPException, RequestRedirect):
            return None
        way = self._ways.get(rule.endpoint, asking.words, asking.identity)
        if way is None or any(isinstance(value, Malformed) for value in ids.values()):
            return None
        return way, ids


def _kept(asking: Asking, way: Way, answer: Answered) -> KeptAnswer | None:
    shown = what_is_shown()
    if shown is None or not isinstance(answer, Answer):
        return None
    return KeptAnswer(
        asking=asking,
        status=answer.status,
        headers=way.headers_of(answer),
        body=answer.body,
        shown=shown,
        operation=way.operation,
        route=way.route,
    )
