"""Load beyond what can be done is turned away after a while, and not queued without end."""

from __future__ import annotations

from http import HTTPStatus
from queue import Empty, SimpleQueue

from flask import Flask, g

from api.problems import RETRY_SECONDS, Problem, ProblemError
from api.watching import is_watched

OVERLOADED = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "overloaded",
    "There is more to do than can be done now. Try again.",
    headers={"Retry-After": str(RETRY_SECONDS)},
)


def shed_load(app: Flask, requests_at_a_time: int, patience_seconds: float) -> None:
    """Answer so many requests of `app` at a time, and let others wait so long for their turn.

    The health of the process is told however busy it is.
    """
    # A semaphore is written in Python and takes several times as long.
    turns = SimpleQueue[None]()
    for _ in range(requests_at_a_time):
        turns.put(None)

    def begin() -> None:
        if is_watched():
            return
        try:
            turns.get(timeout=patience_seconds)
        except Empty:
            raise ProblemError(OVERLOADED) from None
        g.has_turn = True

    def end(_: BaseException | None) -> None:
        if g.pop("has_turn", False):
            turns.put(None)

    app.before_request(begin)
    app.teardown_request(end)
