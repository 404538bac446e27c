"""Questions that are asked again and again over one connection."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from eventlog.fetching import MOST_PREPARED, fetch
from eventlog.pool import Connection
from tests.patience import eventually

SERIES = "SELECT n FROM generate_series(1, %s) n ORDER BY n"


def prepared(conn: Connection) -> int:
    [row] = conn.execute("SELECT count(*) FROM pg_prepared_statements").fetchall()
    return int(row[0])


def is_gone(backend_pid: int, url: str) -> bool:
    with psycopg.connect(url) as other:
        query = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
        return other.execute(query, [backend_pid]).fetchone() is None


def test_gives_the_rows_each_time_it_is_asked(conn: Connection) -> None:
    for most in (1, 3, 0, 2):
        assert fetch(conn, SERIES, [most]) == [(n,) for n in range(1, most + 1)]


def test_gives_values_back_as_they_were(conn: Connection) -> None:
    values = [uuid4(), datetime(2026, 3, 31, 9, tzinfo=UTC), 0.5, 10**12, "100 %", True]
    query = "SELECT %s::uuid, %s::timestamptz, %s::float8, %s::bigint, %s::text, %s::boolean"
    for _ in range(3):
        assert fetch(conn, query, values) == [tuple(values)]


def test_takes_the_same_text_with_values_of_other_types(conn: Connection) -> None:
    query = "SELECT pg_typeof(%s)::text"
    for _ in range(3):
        assert [fetch(conn, query, [value]) for value in (1, 10**12, True)] == [
            [("smallint",)],
            [("bigint",)],
            [("boolean",)],
        ]


def test_the_server_keeps_what_is_asked_again(conn: Connection) -> None:
    for _ in range(3):
        fetch(conn, SERIES, [1])
    assert prepared(conn) == 1


def test_the_server_keeps_so_many_and_no_more(conn: Connection) -> None:
    for number in range(2 * MOST_PREPARED):
        for _ in range(2):
            assert fetch(conn, f"SELECT {number}, %s::int", [1]) == [(number, 1)]
    assert prepared(conn) == MOST_PREPARED


def test_goes_on_when_a_rollback_let_go_of_all_that_was_prepared(conn: Connection) -> None:
    for _ in range(3):
        fetch(conn, SERIES, [1])
    conn.execute("DEALLOCATE ALL")
    assert fetch(conn, SERIES, [2]) == [(1,), (2,)]


def test_sees_what_its_own_transaction_wrote(conn: Connection) -> None:
    conn.execute("CREATE TEMPORARY TABLE seen (n int)")
    for _ in range(3):
        assert fetch(conn, "SELECT n FROM seen") == []
    conn.execute("DEALLOCATE ALL")
    with conn.transaction():
        conn.execute("INSERT INTO seen VALUES (1)")
        assert fetch(conn, "SELECT n FROM seen") == [(1,)]


def test_raises_what_the_server_refuses_and_goes_on(conn: Connection) -> None:
    for divisor in (1, 1, 0, 1, 0):
        if divisor:
            assert fetch(conn, "SELECT 6 / %s::int", [divisor]) == [(6,)]
        else:
            with pytest.raises(psycopg.errors.DivisionByZero):
                fetch(conn, "SELECT 6 / %s::int", [divisor])


def test_says_that_the_connection_is_gone(conn: Connection, log_url: str) -> None:
    for _ in range(3):
        fetch(conn, SERIES, [1])
    with psycopg.connect(log_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [conn.info.backend_pid])
    eventually(lambda: is_gone(conn.info.backend_pid, log_url))
    with pytest.raises(psycopg.OperationalError):
        fetch(conn, SERIES, [1])
