"""Read your writes: a read waits for the position that it is asked to show at least."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus

from api.asked import asked
from api.problems import RETRY_SECONDS, FieldError, Problem, ProblemError, invalid
from api.services import services
from api.words import AT_LEAST as GIVEN
from api.words import PREFER

AT_LEAST = "Rollbook-At-Least"
WAIT_SECONDS = 2.0
MAX_WAIT_SECONDS = 30

_POSITION = re.compile(r"\d{1,18}", re.ASCII)
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*(\d{1,9})\s*(?:$|[,;])", re.ASCII | re.IGNORECASE)


def position_in(header: str | None) -> int | None:
    """Return the position that a header asks for, 0 without one, None where it is no position."""
    if header is None:
        return 0
    return int(header) if _POSITION.fullmatch(header.strip()) else None


def awaited(tables: Sequence[str]) -> int:
    """Wait until the tables have reached the position that is asked for, and return it.

    Raises a 422 problem where it is none that the log has, a 503 problem where it takes too long.
    """
    position = position_in(asked().environ.get(GIVEN))
    if not tables or position == 0:
        return 0
    if position is None:
        raise invalid([FieldError(AT_LEAST, "must be a position, a whole number of 0 or more")])
    seconds, positions = _seconds(), services().positions
    if positions.wait(tables, position, 0):
        return position
    with services().pool.connection() as conn:
        if position > positions.end(conn):
            raise invalid([FieldError(AT_LEAST, "must be a position that the log has reached")])
    if not positions.wait(tables, position, seconds):
        raise _too_late(position, seconds)
    return position


def _seconds() -> float:
    preferred = _WAIT.search(asked().environ.get(PREFER, ""))
    return min(int(preferred[1]), MAX_WAIT_SECONDS) if preferred else WAIT_SECONDS


def _too_late(position: int, seconds: float) -> ProblemError:
    return ProblemError(
        Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "position_not_reached",
            f"The read tables did not reach position {position} within {seconds:g} seconds.",
            facts={"position": position},
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    )
