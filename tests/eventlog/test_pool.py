"""Connections to the log, pooled."""

from __future__ import annotations

from contextlib import ExitStack

import psycopg

from eventlog.pool import Pool, open_pool

CLOSE_THE_OTHERS = """
SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def answers_of(pool: Pool, number: int) -> list[object]:
    """What so many connections answer, all borrowed at a time."""
    with ExitStack() as stack:
        borrowed = [stack.enter_context(pool.connection()) for _ in range(number)]
        return [conn.execute("SELECT 1").fetchone() for conn in borrowed]


def test_connections_that_the_server_closed_are_met_by_nobody(database_url: str) -> None:
    with open_pool(database_url, 4, patience_seconds=30) as pool:
        assert answers_of(pool, 4) == [(1,)] * 4
        with psycopg.connect(database_url, autocommit=True) as conn:
            conn.execute(CLOSE_THE_OTHERS)
        assert answers_of(pool, 4) == [(1,)] * 4


def test_no_question_is_compiled_before_it_is_answered(database_url: str) -> None:
    with open_pool(database_url, 1) as pool, pool.connection() as conn:
        conn.execute("CREATE TEMPORARY TABLE without_an_index (number integer)")
        plan = conn.execute("EXPLAIN (ANALYZE) SELECT sum(number) FROM without_an_index").fetchall()
        assert not any("JIT" in line for (line,) in plan)
