"""Load beyond what can be done is turned away after a while, and not queued without end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from queue import Empty, SimpleQueue
from weakref import finalize

from flask import Flask, Response, current_app, g, request

from api.failures import failed_ahead
from api.policy import Policy
from api.problems import RETRY_SECONDS, Problem, ProblemError
from api.slow_bodies import SlowBodies
from api.watching import is_watched

BODIES_A_TURN = 2
"""As many times as many requests as there are turns have bodies that are still to come."""
BODY_PATIENCE_SECONDS = 1.0
"""How long a request waits for others' bodies. Most come at once, or not for long."""
STREAM_PATIENCE_SECONDS = 1.0
"""How long an answer that is streamed waits for the end of others. Most are short."""

OVERLOADED = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "overloaded",
    "There is more to do than can be done now. Try again.",
    headers={"Retry-After": str(RETRY_SECONDS)},
)

_KEY = "rollbook.load"
_BODILESS = {"GET", "HEAD", "OPTIONS"}


class Places:
    """So many places, each for one request at a time: the one within a `with` of them."""

    def __init__(self, count: int, patience_seconds: float) -> None:
        """Let others wait so long for one of `count` places."""
        self._patience_seconds = patience_seconds
        # A semaphore is written in Python and takes several times as long.
        self._free = SimpleQueue[None]()
        for _ in range(count):
            self._free.put(None)

    def __enter__(self) -> None:
        """Take a place, as `take` does."""
        self.take()

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self.give_back()

    def take(self) -> None:
        """Wait for a place. Raises a 503 problem when none came free."""
        try:
            self._free.get(timeout=self._patience_seconds)
        except Empty:
            raise ProblemError(OVERLOADED) from None

    def give_back(self) -> None:
        """Let somebody else have the place."""
        self._free.put(None)


@dataclass(frozen=True, slots=True)
class Load:
    """What a process takes on at a time: requests to answer, bodies to wait for, and streams."""

    turns: Places
    bodies: Places
    slow_bodies: SlowBodies
    streams: Places


def shed_load(app: Flask, policy: Policy) -> Load:
    """Answer so many requests of `app` at a time as `policy` says; others wait for their turn.

    The health of the process is told however busy it is. Who brings a body has its turn once that
    is there, so that one whose body does not come keeps nobody from reading.
    """
    load = Load(
        Places(policy.requests_at_a_time, policy.patience_seconds),
        Places(policy.requests_at_a_time * BODIES_A_TURN, BODY_PATIENCE_SECONDS),
        SlowBodies(policy.client_seconds),
        Places(policy.requests_at_a_time, STREAM_PATIENCE_SECONDS),
    )
    app.extensions[_KEY] = load

    def begin() -> None:
        if request.method in _BODILESS and not is_watched() and failed_ahead() is None:
            _take_turn(load)

    def end(_: BaseException | None) -> None:
        if g.pop("has_turn", False):
            load.turns.give_back()

    app.before_request(begin)
    app.teardown_request(end)
    return load


@contextmanager
def body_awaited() -> Iterator[None]:
    """Read the body of the present request within; behind it, the request has its turn.

    Raises a 503 problem when there are too many others, and a 408 one when it takes too long.
    """
    load: Load = current_app.extensions[_KEY]
    with load.bodies, load.slow_bodies.awaited(request.environ):
        yield
    _take_turn(load)


def hold_stream(response: Response) -> None:
    """Let `response` be one of so many that are streamed at a time, as long as it is there.

    A client takes it as slowly as it likes, in a thread that others would have. Raises a 503
    problem when there are too many others.
    """
    load: Load = current_app.extensions[_KEY]
    load.streams.take()
    # Whoever drops a response need not have closed it.
    give_back = finalize(response, load.streams.give_back)
    give_back.atexit = False
    response.call_on_close(give_back)


def _take_turn(load: Load) -> None:
    load.turns.take()
    g.has_turn = True
