"""How many requests a minute: of each caller, and of each address that does not say who it is."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from flask_limiter import Limiter, RequestLimit
from limits.errors import StorageError

from api.access import known_caller
from api.identity import Identity
from api.policy import Policy
from api.watching import is_watched

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

COUNTED_AHEAD = 50
"""So many requests of a caller are counted at once, so that one in fifty asks the shared counts."""
SMALLEST_SHARE = 100
MOST_ALLOWANCES = 10_000
WINDOW_SECONDS = 60
HEADERS = ("RateLimit-Policy", "RateLimit")
_COUNTED = "rollbook.counted"


@dataclass(slots=True)
class Allowance:
    """Requests of one caller that are counted but not made yet.

    Attributes:
        left: how many.
        limit: how many a window has.
        uncounted: how many of those were not counted yet, by anybody, when these were.
        ends_at: when the window ends, by `time.time`.
    """

    left: int
    limit: int
    uncounted: int
    ends_at: float


class RateLimits:
    """Answers requests beyond the limit with 429.

    Without the place of the shared counts each process counts for itself, and looks for that
    place again every half minute at the latest.
    """

    def __init__(self, app: Flask, policy: Policy) -> None:
        """Limit the requests of `app`. To be made behind `access.recognize`."""
        self._policy = policy
        self._allowances: dict[str, Allowance] = {}
        self._lock = Lock()
        self._counting = Lock()
        self._limiter = Limiter(
            _key,
            # For the application as a whole, and not for each of its paths.
            application_limits=[lambda: f"{self._limit()}/{WINDOW_SECONDS} seconds"],
            application_limits_cost=self._cost,
            storage_uri=policy.counts_url,
            storage_options={"wrap_exceptions": True, **policy.counts_options},
            strategy="fixed-window",
            in_memory_fallback_enabled=True,
            on_breach=self._exceeded,
            key_prefix="rollbook",
        )
        # It would look at every request of its application. This way it counts when it is asked to.
        counting = Flask("counting")
        self._limiter.init_app(counting)
        [self._count] = counting.before_request_funcs[None]
        app.before_request(self._allow)
        app.after_request(_tell)

    def _limit(self) -> int:
        if known_caller() is None:
            return self._policy.stranger_requests
        return self._policy.caller_requests

    def _cost(self) -> int:
        # A small limit is not handed out in large pieces.
        return max(1, min(COUNTED_AHEAD, self._limit() // SMALLEST_SHARE))

    def counted_ahead(
        self, identity: Identity, environ: WSGIEnvironment
    ) -> Mapping[str, str] | None:
        """Take one of the caller's requests that were counted ahead, and return what it is told.

        The environment (PEP 3333) says that it was, so that it is counted once whichever way it
        goes. Return None when there is none, so that the request must be counted first.
        """
        if not self._policy.caller_requests:
            return {}
        allowance = environ[_COUNTED] = self._taken(_key_of(identity))
        return None if allowance is None else _told(allowance)

    def _is_counted(self) -> bool:
        # Whoever watches over this process is never turned away; what is not there costs nothing.
        if is_watched() or request.url_rule is None or not self._limit():
            return True
        allowance = request.environ.get(_COUNTED) or self._taken(_key())
        if allowance is not None:
            g.allowance = allowance
        return allowance is not None

    def _taken(self, key: str) -> Allowance | None:
        with self._lock:
            allowance = self._allowances.get(key)
            if allowance is None or allowance.left <= 0 or allowance.ends_at < time.time():
                return None
            allowance.left -= 1
            return allowance

    def _allow(self) -> None:
        if self._is_counted():
            return
        # The counts in memory are right for one thread at a time alone.
        with self._counting:
            self._count()
            counted = self._limiter.current_limit
            if counted is None:
                return
            counted_now = _allowance(counted, self._cost() - 1)
        g.allowance = self._add(_key(), counted_now)

    def _add(self, key: str, counted: Allowance) -> Allowance:
        """Keep what was counted for a caller, with what others counted for the same meanwhile."""
        with self._lock:
            present = self._allowances.get(key)
            if present is not None and present.ends_at >= time.time():
                counted.left += present.left
                counted.uncounted = min(counted.uncounted, present.uncounted)
            elif len(self._allowances) >= MOST_ALLOWANCES:
                self._allowances.clear()
            self._allowances[key] = counted
            return counted

    def _exceeded(self, counted: RequestLimit) -> None:
        g.allowance = _allowance(counted, 0)


def _allowance(counted: RequestLimit, left: int) -> Allowance:
    try:
        return Allowance(left, counted.limit.amount, counted.remaining, counted.reset_at)
    except StorageError:
        # It was counted, and then the counts were gone.
        return Allowance(left, counted.limit.amount, 0, time.time() + WINDOW_SECONDS)


def _key() -> str:
    known = known_caller()
    return f"address {request.remote_addr}" if known is None else _key_of(known.identity)


def _key_of(identity: Identity) -> str:
    return f"caller {identity.subject}"


def _tell(response: Response) -> Response:
    """Say what is left, and after a 429 when there will be more (Retry-After, RFC 9110)."""
    allowance: Allowance | None = g.get("allowance")
    if allowance is not None:
        for name, value in _told(allowance).items():
            response.headers[name] = value
        if response.status_code == 429:  # noqa: PLR2004  too many requests
            response.headers["Retry-After"] = str(_seconds_left(allowance))
    return response


def _told(allowance: Allowance) -> Mapping[str, str]:
    """Return the headers of draft-ietf-httpapi-ratelimit-headers-10."""
    remaining = allowance.uncounted + allowance.left
    values = (
        f'"requests";q={allowance.limit};w={WINDOW_SECONDS}',
        f'"requests";r={remaining};t={_seconds_left(allowance)}',
    )
    return dict(zip(HEADERS, values, strict=True))


def _seconds_left(allowance: Allowance) -> int:
    return min(WINDOW_SECONDS, max(1, math.ceil(allowance.ends_at - time.time())))
