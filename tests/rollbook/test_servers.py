from __future__ import annotations

import psycopg
import redis
from psycopg_pool import ConnectionPool

from tests.servers import Databases


def test_each_database_starts_without_what_another_test_wrote(databases: Databases) -> None:
    with databases.fresh() as first, psycopg.connect(first) as connection:
        connection.execute("create table left_behind (number int)")
    with databases.fresh() as second, psycopg.connect(second) as connection:
        found = connection.execute("select to_regclass('left_behind')").fetchone()
    assert found == (None,)


def test_the_pool_reaches_the_test_s_own_database(pool: ConnectionPool, database_url: str) -> None:
    with pool.connection() as connection, psycopg.connect(database_url) as other:
        assert connection.info.dbname == other.info.dbname


def test_the_redis_database_is_empty(redis_url: str) -> None:
    with redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
