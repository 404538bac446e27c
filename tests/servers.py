"""PostgreSQL and Valkey for the tests: started once, with a fresh database for each test.

With ROLLBOOK_TEST_DATABASE_URL and ROLLBOOK_TEST_REDIS_URL those servers are used instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg.sql import SQL, Identifier

from eventlog.role import ROLE
from rollbook.embedded_postgres import EmbeddedPostgres
from rollbook.embedded_valkey import EmbeddedValkey
from rollbook.migrate import migrate
from rollbook.settings import Settings
from rollbook.supervisor import Supervisor

HOUR_SECONDS = 3600
ROOM_BYTES = 4 << 30
"""Several times what all servers of a run of the tests hold."""


@dataclass(frozen=True)
class Servers:
    """Where the two servers of this test session are; the database is one for maintenance."""

    maintenance_url: str
    redis_url: str


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Both servers, up and answering; those started here are stopped and thrown away."""
    with ExitStack() as stack:
        database = os.environ.get("ROLLBOOK_TEST_DATABASE_URL")
        cache = os.environ.get("ROLLBOOK_TEST_REDIS_URL")
        if database is None or cache is None:
            home = stack.enter_context(temporary_home())
            supervisor = Supervisor(home)
            stack.callback(supervisor.stop_all)
            database = database or start_postgres(supervisor, home)
            cache = cache or start_valkey(supervisor, home)
        yield Servers(
            with_database(database, "postgres"),
            stack.enter_context(own_redis_database(cache)),
        )


@contextmanager
def temporary_home() -> Iterator[Path]:
    # Not pytest's own folder: that one is closed to the account PostgreSQL runs as under root.
    home = Path(tempfile.mkdtemp(prefix="rollbook-tests-", dir=folder_in_memory()))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def folder_in_memory() -> Path | None:
    """Where Linux keeps files in memory, if there is room: most of a test is a new database."""
    folder = Path("/dev/shm")  # noqa: S108  # what is made there is ours alone
    if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > ROOM_BYTES:
        return folder
    return None


@contextmanager
def running_postgres(home: Path) -> Iterator[str]:
    """PostgreSQL on the data in `home`, for tests that stop it themselves; gives its address."""
    supervisor = Supervisor(home)
    try:
        yield start_postgres(supervisor, home)
    finally:
        supervisor.stop_all()


def start_postgres(supervisor: Supervisor, home: Path) -> str:
    postgres = EmbeddedPostgres(home, durable=False)
    postgres.prepare()
    supervisor.start(postgres.program())
    return postgres.url("postgres")


def start_valkey(supervisor: Supervisor, home: Path) -> str:
    valkey = EmbeddedValkey(home, durable=False)
    valkey.prepare()
    supervisor.start(valkey.program())
    return valkey.url


@contextmanager
def own_redis_database(url: str) -> Iterator[str]:
    """The url of a database that was empty and that no other test session uses meanwhile."""
    with redis.from_url(url) as client:
        for number in range(15, 0, -1):
            claim = f"rollbook:tests:{number}"
            if not client.set(claim, os.getpid(), nx=True, ex=HOUR_SECONDS):
                continue
            own_url = with_redis_database(url, number)
            with redis.from_url(own_url) as own:
                if own.dbsize() == 0:
                    yield own_url
                    own.flushdb()
                    client.delete(claim)
                    return
            client.delete(claim)
    message = f"all databases of {url} are in use; tests need an empty one"
    raise RuntimeError(message)


def with_redis_database(url: str, number: int) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"{url.partition('?')[0]}?db={number}"
    return urlunsplit(parts._replace(path=f"/{number}"))


def with_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


class Databases:
    """Makes databases from one migrated template, and removes them again.

    A thread makes the next one while a test uses the last, and removes it afterwards: on a server
    that keeps all it is told, both take longer than most tests.
    """

    def __init__(self, servers: Servers) -> None:
        self._maintenance_url = servers.maintenance_url
        self._prefix = f"rollbook_test_{os.getpid()}"
        self._numbers = count(1)
        self._template = f"{self._prefix}_template"
        self._execute(("create database {}", self._template))
        template_url = with_database(self._maintenance_url, self._template)
        migrate(Settings.from_environment({"DATABASE_URL": template_url}))
        self._beside = ThreadPoolExecutor(1, "databases")
        self._next = self._beside.submit(self._make)
        self._removed: list[Future[None]] = []

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The url of a database that is migrated and empty."""
        name = self._next.result()
        self._next = self._beside.submit(self._make)
        try:
            yield with_database(self._maintenance_url, name)
        finally:
            self._removed.append(self._beside.submit(self._remove, name))

    def close(self) -> None:
        """Remove all that is left. Raises what went wrong when any was removed."""
        self._removed.append(self._beside.submit(self._remove, self._next.result()))
        self._removed.append(self._beside.submit(self._remove, self._template))
        for removed in self._removed:
            removed.result()
        self._beside.shutdown()

    def _make(self) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        self._execute(
            ("create database {} template {}", name, self._template),
            # The one right that a database does not take over from its template.
            ("grant create on database {} to {}", name, ROLE),
        )
        return name

    def _remove(self, name: str) -> None:
        self._execute(("drop database if exists {} with (force)", name))

    def _execute(self, *statements: tuple[LiteralString, *tuple[str, ...]]) -> None:
        with psycopg.connect(self._maintenance_url, autocommit=True) as connection:
            for statement, *names in statements:
                connection.execute(SQL(statement).format(*map(Identifier, names)))
