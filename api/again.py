"""What is asked again while nothing has changed is answered again, before all else is done.

An answer follows from the words of the request, from who asks, from the state of the tables that
it shows and from the day. Each of these is looked at for each request: the token is verified, the
request is counted, measured and logged as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from api import correlation, tracing
from api.access import caller
from api.clock import utc_day
from api.failures import UNAVAILABLE
from api.identity import BadTokenError
from api.kept_answers import KeptAnswer, KeptAnswers, Words, words_of
from api.observing import measure, operation
from api.rate_limits import HEADERS as COUNTED
from api.rate_limits import RateLimits
from api.services import Services
from api.shown import POSITION, Shown, what_is_shown
from api.tokens import KeysUnavailableError
from projections.sight import State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATIENCE_SECONDS = 0.1
"""How long it waits for a connection, before the request goes the whole way as any other."""

_WORDS = "rollbook.words"
_OF_ONE_REQUEST = {correlation.HEADER.lower(), POSITION.lower(), *map(str.lower, COUNTED)}
_NAMES_ITSELF = ("HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT")
_KEPT = {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}


def keep_answers(app: Flask, answers: KeptAnswers) -> None:
    """Let `app` keep what may be kept. To be called first, as it takes answers as they are sent."""

    def keep(response: Response) -> Response:
        shown = what_is_shown()
        if shown is None or response.status_code not in _KEPT or response.is_streamed:
            return response
        words = request.environ.get(_WORDS)
        # Whoever names a request asks in these words only once.
        if words is not None and not any(map(request.environ.get, _NAMES_ITSELF)):
            answers.keep(_kept(words, response, shown))
        return response

    app.after_request(keep)


def _kept(words: Words, response: Response, shown: Shown) -> KeptAnswer:
    return KeptAnswer(
        words=words,
        status=response.status,
        headers=[(n, v) for n, v in response.headers if n.lower() not in _OF_ONE_REQUEST],
        body=response.get_data(),
        shown=shown,
        identity=caller().identity,
        operation=operation(),
        route=request.url_rule.rule if request.url_rule else "",
    )


class Again:
    """Stands before an application (PEP 3333), and answers in its place what it has kept."""

    def __init__(
        self,
        whole_way: WSGIApplication,
        answers: KeptAnswers,
        services: Services,
        limits: RateLimits,
    ) -> None:
        """Stand before `whole_way`, the application that all the others are those of."""
        self._whole_way = whole_way
        self._answers = answers
        self._services = services
        self._limits = limits

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request."""
        if environ["REQUEST_METHOD"] == "GET":
            began = perf_counter()
            # As they came: what a proxy says of its client is put in their place later.
            words = environ[_WORDS] = words_of(environ)
            kept = self._answers.get(words)
            right = None if kept is None else self._as_it_is_now(kept, environ)
            if right is not None:
                counted = self._limits.counted_ahead(right.identity)
                if counted is not None:
                    return self._give(right, counted, began, start_response)
        return self._whole_way(environ, start_response)

    def _as_it_is_now(self, kept: KeptAnswer, environ: Mapping[str, Any]) -> KeptAnswer | None:
        """Return what was kept where it is still right, with the state that it shows now."""
        services, shown = self._services, kept.shown
        token = environ["HTTP_AUTHORIZATION"].partition(" ")[2].strip()
        try:
            if services.verifier.verify(token) != kept.identity or utc_day() != shown.day:
                return None
            state = services.sight.state(
                services.pool, shown.tables, patience_seconds=PATIENCE_SECONDS
            )
            if state == shown.state:
                return kept
            if not self._shows_the_same(shown, state):
                return None
        except (BadTokenError, KeysUnavailableError, *UNAVAILABLE):
            # The whole way ends with the same, and tells the caller.
            return None
        renewed = replace(kept, shown=replace(shown, state=state))
        self._answers.keep(renewed)
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

    def _give(
        self,
        kept: KeptAnswer,
        counted: Mapping[str, str],
        began: float,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        span = tracing.start(kept.operation, "GET", kept.route)
        named = correlation.bind(span)
        status = int(kept.status[:3])
        own = {correlation.HEADER: named, **counted}
        if kept.shown.tables:
            own[POSITION] = str(kept.shown.state.position or 0)
        start_response(kept.status, [*kept.headers, *own.items()])
        tracing.end(span, status)
        measure(self._services.metrics, "GET", kept.operation, status, perf_counter() - began)
        return [kept.body]
