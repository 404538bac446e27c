"""Fixtures for all tests. Whatever asks for a server is marked `storage`."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, settings
from psycopg_pool import ConnectionPool

from tests import generated_pages
from tests.servers import Databases, Servers, running_servers

# Nothing here fails because a machine is slow.
settings.register_profile(
    "any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

STORAGE_FIXTURES = {"servers", "database_url", "redis_url", "pool", "connection"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        generated_pages.OPTION, action="store_true", help="write what tests write of docs/"
    )
    parser.addoption(
        "--alterations",
        type=int,
        default=2_000,
        help="how many random alterations of a log the proof is tried against",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if STORAGE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.storage)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL and Valkey, started once."""
    with running_servers() as found:
        yield found


@pytest.fixture(scope="session")
def databases(servers: Servers) -> Iterator[Databases]:
    """Makes migrated databases; for tests that need more than one."""
    made = Databases(servers)
    yield made
    made.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A migrated, empty database of this test alone."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
def pool(database_url: str) -> Iterator[ConnectionPool]:
    """Up to 10 connections to the test's database."""
    with ConnectionPool(database_url, min_size=1, max_size=10, open=True) as opened:
        yield opened


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """One connection to the test's database, which commits every statement."""
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """A Redis database that is empty at the beginning of the test."""
    with redis.from_url(servers.redis_url) as client:
        client.flushdb()
    return servers.redis_url
