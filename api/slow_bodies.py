"""A body that does not come in time is not waited for any longer.

The server waits for it in the thread that reads it, for as long as its client keeps the connection.
So a watch ends what the client says there: the thread then reads the end of the body, and goes on.

The server does not tell on which connection a request came. But its client was told nothing since,
and of one address there are seldom others who wait as long. As long as there are, nobody is cut
off, unless it has been so long that nothing else can be what is waited for.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from http import HTTPStatus
from threading import Lock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

from api.problems import Problem, ProblemError
from api.silent_connections import Connection, connections_from

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

AGAIN_SECONDS = 1.0
"""How soon a body is looked at again that could not be told from other requests."""
CERTAIN_SECONDS = 120.0
"""Who is told nothing for so much longer than a body may take sends one that is slow.

All else takes less: the head of a request 10 seconds, its turn 5, and the longest work, a bulk, 60
and a part more.
"""
_LEEWAY_SECONDS = 1.0
"""A client may be told `100 Continue` once its body is waited for; and Linux counts coarsely."""

TOO_SLOW = Problem(
    HTTPStatus.REQUEST_TIMEOUT,
    "body_too_slow",
    "The body did not come in time.",
    # RFC 9110, section 15.5.9.
    headers={"Connection": "close"},
)
# Where a proxy's word was taken for who asks, this holds who is on the connection.
_AS_THEY_CAME = "werkzeug.proxy_fix.orig"

logger = logging.getLogger(__name__)


class AwaitedBody:
    """A body that is read within a `with` of it. Its end raises a 408 problem when it is too late.

    Attributes:
        address: the IP address at the other end of the connection, "" where it is not known.
        port: the one here, as it is written.
        since: when it began to be read, as `monotonic` tells it.

    """

    __slots__ = ("_watched", "address", "port", "since")

    def __init__(self, watched: SlowBodies, address: str, port: str) -> None:
        self._watched = watched
        self.address = address
        self.port = port
        self.since = 0.0

    def __enter__(self) -> None:
        """Begin to wait for it."""
        self._watched.begin(self)

    def __exit__(self, *_: object) -> None:
        """It is there, or never will be."""
        self._watched.end(self)


class SlowBodies:
    """The bodies that this process waits for, and who cuts off those that do not come."""

    def __init__(self, seconds: float) -> None:
        """Wait for a body so long."""
        self._seconds = seconds
        # As they began, which is the order in which their time is over.
        self._awaited: dict[AwaitedBody, None] = {}
        self._is_watched = False
        # Whoever holds it can be sure that each body that is awaited is still being read.
        self._lock = Lock()

    def awaited(self, environ: WSGIEnvironment) -> AwaitedBody:
        """Return the body of the request with this environment (PEP 3333)."""
        came = environ.get(_AS_THEY_CAME, environ)
        return AwaitedBody(self, came.get("REMOTE_ADDR", ""), environ["SERVER_PORT"])

    def begin(self, body: AwaitedBody) -> None:
        """Wait for it from now on."""
        with self._lock:
            body.since = monotonic()
            self._awaited[body] = None
            if not self._is_watched:
                self._is_watched = True
                Thread(target=self._watch, name="slow bodies", daemon=True).start()

    def end(self, body: AwaitedBody) -> None:
        """Wait for it no longer. Raises a 408 problem when it took too long."""
        with self._lock:
            del self._awaited[body]
        # However it ended: nothing that others do may be taken for a body that is too slow.
        if monotonic() - body.since >= self._seconds:
            raise ProblemError(TOO_SLOW)

    def _watch(self) -> None:
        """Cut off who is too slow, until nobody has sent a body for a while."""
        # What begins later is over later, so nobody needs to be woken for it.
        pause_seconds = self._seconds
        while True:
            sleep(pause_seconds)
            with self._lock:
                if not self._awaited:
                    self._is_watched = False
                    return
                self._cut_off()
                oldest = next(iter(self._awaited))
                pause_seconds = max(oldest.since + self._seconds - monotonic(), AGAIN_SECONDS)

    def _cut_off(self) -> None:
        now = monotonic()
        overdue = defaultdict[tuple[str, str], list[float]](list)
        for body in self._awaited:
            age_seconds = now - body.since
            if age_seconds >= self._seconds:
                overdue[body.address, body.port].append(age_seconds)
        for (address, port), ages in overdue.items():
            with connections_from(address, int(port)) as connections:
                slow = told_apart(connections, ages, self._seconds + CERTAIN_SECONDS)
                for connection in slow:
                    connection.hear_no_more()
            if slow:
                logger.info("slow bodies cut off", extra={"bodies": len(slow)})


def told_apart(
    connections: Sequence[Connection], ages: Sequence[float], certain_seconds: float
) -> list[Connection]:
    """Return those of the `connections` on which surely nothing but slow bodies is awaited.

    Args:
        connections: all from one address.
        ages: for how many seconds each of the slow bodies from there has been awaited, the longest
            first.
        certain_seconds: for how long nobody is told nothing who does not send a slow body.

    """
    found: list[Connection] = []
    for count, age in enumerate(ages, 1):
        # Those of the oldest so many bodies are among these.
        silent = [one for one in connections if one.silent_seconds >= age - _LEEWAY_SECONDS]
        if len(silent) <= count or age >= certain_seconds:
            found = silent
    return found
