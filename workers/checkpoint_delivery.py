"""Brings checkpoints to places that the operator of the database does not rule.

Each destination gets every checkpoint, in order. It is noted after it arrived; so when a notary is
killed in between, one may arrive twice, and none is left out.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import LiteralString, Protocol
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import psycopg

from eventlog.pool import Connection, open_connection
from proof import checkpoints
from workers.retry import Retry

POLL_SECONDS = 0.5
ANSWER_SECONDS = 10.0

_BEGIN: LiteralString = """
insert into rollbook.checkpoints_sent (destination, number) values (%s, 0)
on conflict (destination) do nothing
"""
# Where another notary is at it, this one leaves it alone.
_SENT: LiteralString = """
select number from rollbook.checkpoints_sent where destination = %s for update skip locked
"""
_NOTE: LiteralString = "update rollbook.checkpoints_sent set number = %s where destination = %s"

logger = logging.getLogger(__name__)


class Destination(Protocol):
    """A place for checkpoints, under a name that stays the same and holds no secret."""

    @property
    def name(self) -> str:
        """The place, for the list of what was sent."""

    def send(self, note: str) -> None:
        """Bring one checkpoint there. Raises OSError or HTTPException."""


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """A file to which each checkpoint is added, with an empty line behind it."""

    path: Path

    @property
    def name(self) -> str:
        """The path of the file."""
        return f"file:{self.path}"

    def send(self, note: str) -> None:
        """Add the note, and see it safely on disk."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{note}\n")
            file.flush()
            os.fsync(file.fileno())


class _NoRedirect(HTTPRedirectHandler):
    """A POST that is sent elsewhere would arrive there without its body."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Take it for a refusal."""


@dataclass(frozen=True, slots=True)
class CheckpointWebhook:
    """An address to which each checkpoint is posted as text; a status of 200 to 299 takes it."""

    url: str

    @property
    def name(self) -> str:
        """The address in a form that does not tell a token that it may hold."""
        return f"webhook:{sha256(self.url.encode()).hexdigest()[:16]}"

    def send(self, note: str) -> None:
        """Post the note."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        request = Request(self.url, note.encode(), headers, method="POST")  # noqa: S310  # http(s) by the settings
        try:
            build_opener(_NoRedirect).open(request, timeout=ANSWER_SECONDS).close()
        except HTTPError as refusal:
            refusal.close()
            raise


@contextmanager
def delivering(conninfo: str, destination: Destination, stop: Signal) -> Iterator[None]:
    """Bring checkpoints there in a thread of its own until `stop` is set."""
    courier = Thread(target=_deliver, args=(conninfo, destination, stop), name="courier")
    courier.start()
    try:
        yield
    finally:
        stop.set()
        courier.join()


def _deliver(conninfo: str, destination: Destination, stop: Signal) -> None:
    retry = Retry(stop)
    while not stop.is_set():
        try:
            with open_connection(conninfo) as conn:
                conn.execute(_BEGIN, (destination.name,))
                while not stop.is_set():
                    if not deliver_next(conn, destination):
                        stop.wait(POLL_SECONDS)
                    retry.succeeded()
        except (psycopg.Error, OSError, HTTPException) as error:
            # The error itself may hold the address, and the address a token.
            logger.warning(
                "cannot bring a checkpoint to %s (%s), next try in %.1f s",
                destination.name,
                type(error).__name__,
                retry.pause_seconds,
            )
            retry.wait()


def deliver_next(conn: Connection, destination: Destination) -> bool:
    """Bring the next checkpoint there; return whether there was one.

    Raises what `Destination.send` does; then the same one is next again.
    """
    with conn.transaction():
        row = conn.execute(_SENT, (destination.name,)).fetchone()
        waiting = checkpoints.after(conn, row[0], limit=1) if row else []
        for checkpoint in waiting:
            destination.send(checkpoint.note)
            conn.execute(_NOTE, (checkpoint.number, destination.name))
    return bool(waiting)
