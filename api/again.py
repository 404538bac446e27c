"""What is like a read that was answered before is answered ahead of all else.

Where the same is asked again while nothing has changed, the same is answered, from memory. Where
what is asked differs in nothing but an id or who asks, or something has changed, the tables are
asked at once: routing, parameters, permission and headers are as they were.

The token is verified, and the request counted, measured and logged as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask, Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wsgi import get_path_info

from api import correlation, tracing
from api.access import bearer_token, calls
from api.asked import is_asked
from api.clock import utc_day
from api.failures import FAILED_AHEAD, UNAVAILABLE, fail_as_ahead
from api.kept_answers import Asking, KeptAnswer
from api.load import Load
from api.observing import measure
from api.paths import Malformed
from api.problems import ProblemError
from api.rate_limits import RateLimits
from api.remembering import WORDS, Memory, belonging
from api.services import Services
from api.shown import POSITION, Shown, what_is_shown
from api.ways import Way
from api.words import HELD, REQUEST_ID, TRACE, words_of
from projections.sight import State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATIENCE_SECONDS = 0.1
"""How long it waits for a connection, before the request goes the whole way as any other."""


class Began(NamedTuple):
    """When a request began, by the clock that measures and by the one of everybody."""

    seconds: float
    nanoseconds_of_day: int


class Again:
    """Stands before an application (PEP 3333), and answers in its place what it can."""

    def __init__(
        self, app: Flask, memory: Memory, services: Services, limits: RateLimits, load: Load
    ) -> None:
        """Stand before `app`, from whose answers `memory` is; it shares its limits and load."""
        self._app = app
        self._whole_way = app.wsgi_app
        self._urls = app.url_map.bind("rollbook")
        self._memory = memory
        self._services = services
        self._limits = limits
        self._load = load
        app.before_request(fail_as_ahead)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request."""
        if environ["REQUEST_METHOD"] == "GET":
            began = Began(perf_counter(), time_ns())
            found = self._find(environ)
            if found is not None:
                counted = self._limits.counted_ahead(found.asking.identity)
                if counted is not None:
                    return self._give(found, counted, environ, start_response, began)
        return self._whole_way(environ, start_response)

    def _find(self, environ: WSGIEnvironment) -> KeptAnswer | None:
        """Return the answer to a request, None where it is to go the whole way."""
        # As they came: what a proxy says of its client is put in their place later.
        words = environ[WORDS] = words_of(environ)
        token = bearer_token(environ.get("HTTP_AUTHORIZATION", ""))
        identity = self._services.verifier.remembered(token) if token else None
        if identity is None:
            return None
        asking = Asking(identity, environ["PATH_INFO"], words, environ.get(HELD))
        kept = self._memory.answers.get(asking)
        try:
            as_it_is_now = None if kept is None else self._as_it_is_now(kept)
            return as_it_is_now or self._anew(asking, environ)
        except (ProblemError, *UNAVAILABLE) as error:
            # The whole way ends with the same, and tells the caller.
            environ[FAILED_AHEAD] = error
            return None

    def _as_it_is_now(self, kept: KeptAnswer) -> KeptAnswer | None:
        """Return what was kept where it is still right, with the state that it shows now."""
        services, shown = self._services, kept.shown
        if utc_day() != shown.day:
            return None
        state = services.sight.state(services.pool, shown.tables)
        if state == shown.state:
            return kept
        if not self._shows_the_same(shown, state):
            return None
        renewed = replace(kept, shown=replace(shown, state=state))
        self._memory.answers.keep(renewed)
        return renewed

    def _shows_the_same(self, shown: Shown, state: State) -> bool:
        """Return whether nothing has happened since that concerns what is shown."""
        before, services = shown.state, self._services
        if not shown.topics or not state.differs_by_events_alone(before):
            return False
        return not services.recent.are_about(
            services.pool,
            shown.topics,
            after=before.position or 0,
            until=state.latest or 0,
            patience_seconds=PATIENCE_SECONDS,
        )

    def _anew(self, asking: Asking, environ: WSGIEnvironment) -> KeptAnswer | None:
        """Return what the tables say now, None where it is not known how to ask them."""
        found = self._way(asking, environ)
        if found is None:
            return None
        way, ids = found
        self._load.turns.take()
        try:
            with self._app.app_context():
                calls(asking.identity, way.permission)
                is_asked(Request(environ))
                answer = _answer(asking, way, way.reading.answer(ids))
        finally:
            self._load.turns.give_back()
        if answer is not None:
            self._memory.answers.keep(answer)
        return answer

    def _way(
        self, asking: Asking, environ: WSGIEnvironment
    ) -> tuple[Way, Mapping[str, Any]] | None:
        try:
            rule, ids = self._urls.match(get_path_info(environ), "GET", return_rule=True)
        except (HTTPException, RequestRedirect):
            return None
        way = self._memory.ways.get(rule.endpoint, asking.words, asking.identity)
        if way is None or any(isinstance(value, Malformed) for value in ids.values()):
            return None
        return way, ids

    def _give(
        self,
        answer: KeptAnswer,
        counted: Mapping[str, str],
        environ: WSGIEnvironment,
        start_response: StartResponse,
        began: Began,
    ) -> Iterable[bytes]:
        trace, given_id = environ.get(TRACE), environ.get(REQUEST_ID, "")
        span = tracing.start(answer.operation, "GET", answer.route, trace, began.nanoseconds_of_day)
        chosen = correlation.chosen_for(span, given_id)
        correlation.bind(span, chosen)
        own = {correlation.HEADER: chosen, **counted}
        if answer.shown.tables:
            own[POSITION] = str(answer.shown.state.position or 0)
        start_response(answer.status, [*answer.headers, *own.items()])
        status = int(answer.status[:3])
        tracing.end(span, status)
        seconds = perf_counter() - began.seconds
        measure(self._services.metrics, "GET", answer.operation, status, seconds)
        return [answer.body]


def _answer(asking: Asking, way: Way, response: Response) -> KeptAnswer | None:
    shown = what_is_shown()
    if shown is None or response.is_streamed:
        return None
    return KeptAnswer(
        asking=asking,
        status=response.status,
        headers=belonging(way.headers_of(response)),
        body=response.get_data(),
        shown=shown,
        operation=way.operation,
        route=way.route,
    )
