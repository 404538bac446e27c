"""What needs a server that is set up differently, so one is started for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from eventlog.errors import NotPrimaryError
from eventlog.pool import open_connection, open_pool
from eventlog.reader import LogReader
from eventlog.recorder import PostgresRecorder
from eventlog.schema import migrate
from tests.eventlog.events import INSERT, a_stream
from tests.servers import running_postgres, temporary_home


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The folder of a server that has a log and allows prepared transactions."""
    with temporary_home() as folder:
        with running_postgres(folder) as url, psycopg.connect(url, autocommit=True) as conn:
            conn.execute("alter system set max_prepared_transactions = 5")
            migrate(conn)
        yield folder


def test_a_prepared_transaction_is_waited_for_also_when_it_was_prepared_meanwhile(
    home: Path,
) -> None:
    with (
        running_postgres(home) as url,
        open_connection(url) as conn,
        open_connection(url) as writer,
        open_pool(url, 1) as pool,
    ):
        reader = LogReader(conn)
        writer.execute("begin")
        writer.execute(INSERT, ("00000000-0000-0000-0000-000000000001", 1, "x.v1"))
        PostgresRecorder(pool).insert_events(a_stream(1))
        assert reader.read(10) == []
        writer.execute("prepare transaction 'slow'")
        assert reader.read(10) == []
        assert LogReader(conn).read(10) == []
        writer.execute("commit prepared 'slow'")
        assert [event.id for event in reader.read(10)] == [1, 2]


def test_a_standby_does_not_know_the_order(home: Path) -> None:
    with running_postgres(home) as url, open_connection(url) as conn, open_pool(url, 1) as pool:
        conn.execute("begin")
        conn.execute(INSERT, ("00000000-0000-0000-0000-000000000002", 1, "x.v1"))
        conn.execute("rollback")
        PostgresRecorder(pool).insert_events(a_stream(1))
    (home / "postgres" / "standby.signal").touch()
    with (
        running_postgres(home) as url,
        open_connection(url) as conn,
        pytest.raises(NotPrimaryError),
    ):
        LogReader(conn).read(10)
