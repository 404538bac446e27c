"""A database for one benchmark, which is thrown away afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import sleep
from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.sql import SQL, Identifier

from rollbook.embedded_postgres import EmbeddedPostgres
from rollbook.supervisor import Supervisor

_RETRY_SECONDS = 0.1
_numbers = count(1)


@dataclass(frozen=True)
class Scratch:
    """An empty database; ``own`` when its server was started for it and may be crashed."""

    url: str
    own: bool

    def crash(self) -> None:
        """Kills one of the server's processes with SIGKILL, which makes all of it recover."""
        with connect_patiently(self.url) as conn:
            os.kill(conn.info.backend_pid, signal.SIGKILL)


@contextmanager
def scratch_database(server: str | None) -> Iterator[Scratch]:
    """A database on this server, or on one that is started with everything safely on disk."""
    with own_server() if server is None else _given(server) as maintenance_url:
        name = f"rollbook_benchmark_{os.getpid()}_{next(_numbers)}"
        execute(maintenance_url, "create database {}", name)
        try:
            url = urlunsplit(urlsplit(maintenance_url)._replace(path=f"/{name}"))
            yield Scratch(url, own=server is None)
        finally:
            if server is not None:
                execute(maintenance_url, "drop database {} with (force)", name)


@contextmanager
def _given(server: str) -> Iterator[str]:
    yield server


@contextmanager
def own_server() -> Iterator[str]:
    """The embedded PostgreSQL in a folder of its own."""
    home = Path(tempfile.mkdtemp(prefix="rollbook-benchmark-"))
    supervisor = Supervisor(home)
    try:
        postgres = EmbeddedPostgres(home)
        postgres.prepare()
        supervisor.start(postgres.program())
        yield postgres.url("postgres")
    finally:
        supervisor.stop_all()
        shutil.rmtree(home, ignore_errors=True)


def execute(url: str, statement: LiteralString, name: str) -> None:
    """Runs a statement about the database of this name."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(SQL(statement).format(Identifier(name)))


def connect_patiently(url: str) -> psycopg.Connection:
    """A connection, as soon as the server has one to give."""
    while True:
        try:
            return psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError:
            sleep(_RETRY_SECONDS)
