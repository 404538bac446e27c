"""Waits for servers that somebody else starts, and says so."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg.conninfo import conninfo_to_dict

from eventlog.pool import open_as_login

log = logging.getLogger("rollbook")

ASK_EVERY_SECONDS = 0.5
ANSWER_SECONDS = 3


class Awaited:
    """A server that may not be there yet.

    `ask` returns None when the server answers and the reason in words when it does not.
    """

    def __init__(self, place: str, ask: Callable[[], str | None]) -> None:
        self._place = place
        self._ask = ask
        self._said: str | None = None
        self._ask_at = 0.0

    def is_there(self) -> bool:
        """Whether it answers; says once what is waited for, and again when the reason changes.

        It asks at most twice a second, however often it is called.
        """
        if time.monotonic() < self._ask_at:
            return False
        reason = self._ask()
        if reason is None:
            return True
        if reason != self._said:
            log.warning("Waiting for %s: %s", self._place, reason)
            self._said = reason
        self._ask_at = time.monotonic() + ASK_EVERY_SECONDS
        return False


def postgres(url: str) -> Awaited:
    """The PostgreSQL at `url`. Its place is told without name and password."""
    place = conninfo_to_dict(url)
    where = f"{place.get('host') or 'localhost'}:{place.get('port') or 5432}"

    def ask() -> str | None:
        try:
            open_as_login(url).close()
        except psycopg.Error as error:
            return _last_line(error)
        return None

    return Awaited(f"PostgreSQL at {where}", ask)


def redis_server(url: str) -> Awaited:
    """The Redis at `url`. Its place is told without name and password."""
    parts = urlsplit(url)
    where = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"

    def ask() -> str | None:
        try:
            with closing(redis.from_url(url, socket_timeout=ANSWER_SECONDS)) as client:
                client.ping()
        except redis.RedisError as error:
            return _last_line(error)
        return None

    return Awaited(f"Redis at {where}", ask)


def _last_line(error: Exception) -> str:
    # The servers' own messages name hosts and users, never passwords.
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
