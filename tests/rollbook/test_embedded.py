from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from rollbook.embedded import NoEmbeddedServers, socket_folder
from rollbook.embedded_postgres import EmbeddedPostgres, helpers_of_an_index
from rollbook.embedded_valkey import EmbeddedValkey
from rollbook.runfiles import read_states, stop_leftovers
from rollbook.supervisor import Supervisor
from tests.servers import temporary_home


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_home() as made:
        yield made


@pytest.fixture
def supervisor(home: Path) -> Iterator[Supervisor]:
    made = Supervisor(home)
    yield made
    made.stop_all()


def started_postgres(supervisor: Supervisor, home: Path) -> EmbeddedPostgres:
    postgres = EmbeddedPostgres(home)
    postgres.prepare()
    supervisor.start(postgres.program())
    postgres.ensure_database()
    return postgres


def kill(supervisor: Supervisor, home: Path, name: str) -> None:
    """Kill the named process and wait until it is up again."""
    before = next(state for state in read_states(home) if state.name == name)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)

    def is_up_again() -> bool:
        now = next(state for state in read_states(home) if state.name == name)
        return now.restarts > before.restarts and now.state == "ready"

    supervisor.wait_until(is_up_again)


def write_number(url: str, number: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table if not exists numbers (number int)")
        connection.execute("insert into numbers values (%s)", [number])


def numbers(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select number from numbers order by 1")]


def test_what_was_committed_survives_kill_9_of_postgres(supervisor: Supervisor, home: Path) -> None:
    postgres = started_postgres(supervisor, home)
    write_number(postgres.url(), 1)
    kill(supervisor, home, "postgres")
    write_number(postgres.url(), 2)
    assert numbers(postgres.url()) == [1, 2]


def test_what_was_written_survives_kill_9_of_valkey(supervisor: Supervisor, home: Path) -> None:
    valkey = EmbeddedValkey(home)
    valkey.prepare()
    supervisor.start(valkey.program())
    with redis.from_url(valkey.url) as client:
        client.xadd("events", {"number": 1}, id="1-0")
    kill(supervisor, home, "valkey")
    with redis.from_url(valkey.url) as client:
        assert client.xlen("events") == 1


def test_postgres_starts_although_another_process_has_the_number_of_the_dead_one(
    supervisor: Supervisor, home: Path
) -> None:
    postgres = started_postgres(supervisor, home)
    write_number(postgres.url(), 1)
    left_behind = (home / "postgres" / "postmaster.pid").read_text().split("\n")
    supervisor.stop_all()
    left_behind[0] = str(os.getpid())
    (home / "postgres" / "postmaster.pid").write_text("\n".join(left_behind))
    started_postgres(supervisor, home)
    assert numbers(postgres.url()) == [1]


def test_servers_left_running_by_a_killed_supervisor_are_stopped_cleanly(home: Path) -> None:
    first = Supervisor(home)
    postgres = started_postgres(first, home)
    write_number(postgres.url(), 1)
    assert stop_leftovers(home, grace_seconds=20) == ["postgres"]
    assert not postgres.answers()
    assert "database system is shut down" in (home / "log" / "postgres.log").read_text()
    second = Supervisor(home)
    started_postgres(second, home)
    assert numbers(postgres.url()) == [1]
    second.stop_all()
    first.stop_all()


def test_a_long_path_gets_its_socket_in_a_short_private_folder(
    supervisor: Supervisor, home: Path
) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    folder = socket_folder(deep, "valkey")
    try:
        valkey = EmbeddedValkey(deep)
        valkey.prepare()
        supervisor.start(valkey.program())
        assert folder.stat().st_mode & 0o777 == 0o700
        assert valkey.answers()
    finally:
        supervisor.stop_all()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_half_made_cluster_is_made_again(home: Path) -> None:
    (home / "postgres.new").mkdir()
    (home / "postgres.new" / "PG_VERSION").write_text("18\n")
    EmbeddedPostgres(home, durable=False).prepare()
    assert (home / "postgres" / "global" / "pg_control").exists()


def test_a_cluster_of_another_version_is_refused(home: Path) -> None:
    (home / "postgres").mkdir()
    (home / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(NoEmbeddedServers, match="PostgreSQL 16, and this is 18"):
        EmbeddedPostgres(home).prepare()


@pytest.mark.parametrize(("cores", "helpers"), [(1, 0), (2, 0), (3, 1), (4, 2), (64, 2)])
def test_an_index_has_helpers_where_there_are_cores_for_them(cores: int, helpers: int) -> None:
    assert helpers_of_an_index(cores) == helpers
