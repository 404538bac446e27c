"""What is like a read that was answered before is answered ahead of all else.

Where the same is asked again while nothing has changed, the same is answered, from memory. Where
what is asked differs in nothing but an id or who asks, or something has changed, the tables are
asked at once: routing, parameters, permission and headers are as they were.

The token is verified, and the request counted, measured and logged as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING

from flask import Flask

from api import correlation, tracing
from api.access import bearer_token
from api.ahead import Ahead
from api.at_least import position_in
from api.caching import etags_in, is_held
from api.etags import ETAG
from api.failures import FAILED_AHEAD, fail_as_ahead
from api.identity import Identity
from api.kept_answers import Asking, KeptAnswer
from api.load import Load
from api.observing import began, measure
from api.rate_limits import RateLimits
from api.remembering import WORDS, Memory
from api.services import Services
from api.shown import POSITION
from api.single_flight import SingleFlight
from api.still_right import as_it_is_now
from api.words import AT_LEAST, HELD, REQUEST_ID, TRACE, words_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_OF_A_BODY = {"content-type", "content-length"}
_LINES = {
    status: f"{status:d} {status.phrase.upper()}"
    for status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)
}


class Again:
    """Stands before an application (PEP 3333), and answers in its place what it can."""

    def __init__(
        self, app: Flask, memory: Memory, services: Services, limits: RateLimits, load: Load
    ) -> None:
        """Stand before `app`, from whose answers `memory` is; it shares its limits and load."""
        self._whole_way = app.wsgi_app
        self._answers = memory.answers
        self._ahead = Ahead(app, memory.ways, load)
        self._flights = SingleFlight[Asking, KeptAnswer]()
        self._services = services
        self._limits = limits
        self._load = load
        app.before_request(fail_as_ahead)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request."""
        began(environ)
        correlation.forget()
        if environ["REQUEST_METHOD"] == "GET":
            # As they came: what a proxy says of its client is put in their place later.
            environ[WORDS] = words_of(environ)
            token = bearer_token(environ.get("HTTP_AUTHORIZATION", ""))
            identity = self._services.verifier.remembered(token) if token else None
            if identity is not None:
                counted = self._limits.counted_ahead(identity, environ)
                found = None if counted is None else self._find(identity, environ)
                if found is not None and counted is not None:
                    return self._give(found, counted, environ, start_response)
        return self._whole_way(environ, start_response)

    def _find(self, identity: Identity, environ: WSGIEnvironment) -> KeptAnswer | None:
        """Return the answer to a request, None where it is to go the whole way."""
        position = position_in(environ.get(AT_LEAST))
        if position is None:
            return None
        asking = Asking(identity, environ["PATH_INFO"], environ[WORDS])
        try:
            if not self._answers.are_kept:
                return self._ahead.answer(asking, environ)
            return self._kept(asking, position) or self._anew(asking, position, environ)
        except Exception as error:  # noqa: BLE001  the whole way ends with it, and tells the caller
            environ[FAILED_AHEAD] = error
            return None

    def _kept(self, asking: Asking, position: int) -> KeptAnswer | None:
        """Return what was answered last, or what another is being answered, if it is right now."""
        # What others are told at this moment may show less than a position that one waits for.
        sources = (self._answers.get,) if position else (self._answers.get, self._flights.others)
        for given in sources:
            kept = given(asking)
            if kept is None or not kept.is_whole:
                continue
            with self._load.turns:
                found = as_it_is_now(kept, self._services, position)
            if found is not None:
                if found is not kept:
                    self._answers.keep(found)
                return found
        return None

    def _anew(self, asking: Asking, position: int, environ: WSGIEnvironment) -> KeptAnswer | None:
        ask = partial(self._ahead.answer, asking, environ)
        # Nobody else waits for a position together with who asked for it.
        found = ask() if position else self._flights.find(asking, ask)
        if found is not None and found.is_whole:
            self._answers.keep(found)
        return found

    def _give(
        self,
        answer: KeptAnswer,
        counted: Mapping[str, str],
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        trace, given_id = environ.get(TRACE), environ.get(REQUEST_ID, "")
        began_at = began(environ)
        span = tracing.start(
            answer.operation, "GET", answer.route, trace, began_at.nanoseconds_of_day
        )
        chosen = correlation.chosen_for(span, given_id)
        correlation.bind(span, chosen)
        own = {correlation.HEADER: chosen, **counted}
        if answer.shown.tables:
            own[POSITION] = str(answer.shown.state.position or 0)
        status, headers, body = _as_it_is_sent(answer, environ.get(HELD))
        start_response(_LINES[status], [*headers, *own.items()])
        tracing.end(span, status)
        seconds = perf_counter() - began_at.seconds
        measure(self._services.metrics, "GET", answer.operation, status, seconds)
        return [body]


def _as_it_is_sent(
    answer: KeptAnswer, held: str | None
) -> tuple[HTTPStatus, Sequence[tuple[str, str]], bytes]:
    """Return the status, the headers and the body to who holds `held` already."""
    if held is None or not answer.is_whole:
        return answer.status, answer.headers, answer.body
    if not any(is_held(value, etags_in(held)) for name, value in answer.headers if name == ETAG):
        return answer.status, answer.headers, answer.body
    headers = [header for header in answer.headers if header[0].lower() not in _OF_A_BODY]
    return HTTPStatus.NOT_MODIFIED, headers, b""
