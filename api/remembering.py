"""What is taken from the answers of the application, so that others like it need not be asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Flask, Response, request

from api import correlation
from api.access import caller
from api.kept_answers import Asking, KeptAnswer, KeptAnswers
from api.observing import operation
from api.rate_limits import HEADERS as COUNTED
from api.reading import source
from api.shown import POSITION, Shown, what_is_shown
from api.ways import LENGTH, Headers, Way, Ways
from api.words import are_few

WORDS = "rollbook.words"
"""Under this name a request's environment (PEP 3333) has the words in which it was asked."""

_OF_ONE_REQUEST = {correlation.HEADER.lower(), POSITION.lower(), *map(str.lower, COUNTED)}


@dataclass(frozen=True, slots=True)
class Memory:
    """What one process remembers of its answers."""

    answers: KeptAnswers
    ways: Ways = field(default_factory=Ways)


def remember(app: Flask, memory: Memory) -> None:
    """Let `app` remember its answers. To be called first, as it takes them as they are sent."""

    def take(response: Response) -> Response:
        shown = what_is_shown()
        is_whole = response.status_code == HTTPStatus.OK and not response.is_streamed
        words = request.environ.get(WORDS)
        if is_whole and shown is not None and words and are_few(words):
            _take_way(memory.ways, response)
            _take_answer(memory.answers, response, shown)
        return response

    app.after_request(take)


def belonging(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers that belong to an answer, rather than to one request for it."""
    return [(name, value) for name, value in headers if name.lower() not in _OF_ONE_REQUEST]


def _take_way(ways: Ways, response: Response) -> None:
    given_by = source()
    if given_by is None:
        return
    before = {*given_by.headers, (LENGTH, str(response.content_length))}
    after = {*response.headers}
    replaced = {name.lower() for name, _ in before - after}
    way = Way(
        operation=operation(),
        route=_route(),
        permission=caller().permission,
        reading=given_by.reading,
        headers=belonging(header for header in response.headers if header not in before),
        # Each answer has its own length and position.
        replaced=frozenset({*replaced, POSITION.lower()}),
    )
    ways.keep(str(request.endpoint), request.environ[WORDS], caller().identity, way)


def _take_answer(answers: KeptAnswers, response: Response, shown: Shown) -> None:
    environ = request.environ
    answer = KeptAnswer(
        asking=Asking(caller().identity, environ["PATH_INFO"], environ[WORDS]),
        status=HTTPStatus(response.status_code),
        headers=belonging(response.headers),
        body=response.get_data(),
        shown=shown,
        operation=operation(),
        route=_route(),
    )
    answers.keep(answer)


def _route() -> str:
    return request.url_rule.rule if request.url_rule else ""
