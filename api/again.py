"""What is asked again while nothing has changed is answered again, before all else is done.

An answer follows from the words of the request, from who asks, from the state of the tables that
it shows and from the day. Each of these is looked at for each request: the token is verified, the
request is counted, measured and logged as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request

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
from api.tokens import KeysUnavailableError
from projections.sight import State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATIENCE_SECONDS = 0.1
"""How long it waits for a connection, before the request goes the whole way as any other."""

_WORDS = "rollbook.words"
_OF_ONE_REQUEST = {correlation.HEADER.lower(), *map(str.lower, COUNTED)}
_NAMES_ITSELF = ("HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT")
_KEPT = {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a query's answer follows from, besides the words of the request and who asks."""

    tables: tuple[str, ...]
    state: State
    day: date


def may_be_kept(shown: Shown) -> None:
    """Say that the answer to the present request shows nothing but this."""
    g.shown = shown


def keep_answers(app: Flask, answers: KeptAnswers) -> None:
    """Let `app` keep what may be kept. To be called first, as it takes answers as they are sent."""

    def keep(response: Response) -> Response:
        shown: Shown | None = g.get("shown")
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
        tables=shown.tables,
        state=shown.state,
        day=shown.day,
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
            if kept is not None and self._is_still_so(kept, environ):
                counted = self._limits.counted_ahead(kept.identity)
                if counted is not None:
                    return self._give(kept, counted, began, start_response)
        return self._whole_way(environ, start_response)

    def _is_still_so(self, kept: KeptAnswer, environ: Mapping[str, Any]) -> bool:
        token = environ["HTTP_AUTHORIZATION"].partition(" ")[2].strip()
        try:
            return (
                self._services.verifier.verify(token) == kept.identity
                and utc_day() == kept.day
                and self._state_now(kept.tables) == kept.state
            )
        except (BadTokenError, KeysUnavailableError, *UNAVAILABLE):
            # The whole way ends with the same, and tells the caller.
            return False

    def _state_now(self, tables: tuple[str, ...]) -> State:
        services = self._services
        return services.sight.state(services.pool, tables, patience_seconds=PATIENCE_SECONDS)

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
        start_response(kept.status, [*kept.headers, (correlation.HEADER, named), *counted.items()])
        tracing.end(span, status)
        measure(self._services.metrics, "GET", kept.operation, status, perf_counter() - began)
        return [kept.body]
