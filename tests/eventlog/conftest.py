from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from eventlog.pool import Connection, Pool, open_connection, open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.schema import migrate
from tests.eventlog.events import FACTS
from tests.eventlog.proxy import Proxy, proxy_for


@pytest.fixture
def log_url(database_url: str) -> str:
    """A database with an empty log, and indexes for the facts of these tests.

    Connections keep the rights of their login, since these tests alter the log and watch others.
    """
    with psycopg.connect(database_url) as conn:
        migrate(conn, FACTS)
        conn.execute("revoke usage on schema rollbook from rollbook_app")
    return database_url


@pytest.fixture
def proxy(log_url: str) -> Iterator[Proxy]:
    with proxy_for(log_url) as opened:
        yield opened


@pytest.fixture
def log_pool(log_url: str) -> Iterator[Pool]:
    with open_pool(log_url, 4) as opened:
        yield opened


@pytest.fixture
def conn(log_url: str) -> Iterator[Connection]:
    with open_connection(log_url) as opened:
        yield opened


@pytest.fixture
def recorder(log_pool: Pool) -> PostgresRecorder:
    return PostgresRecorder(log_pool, facts=FACTS)
