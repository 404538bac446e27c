"""Looking after the read tables from the command line, on a real database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import click
import psycopg
import pytest
from click.testing import CliRunner, Result

from projections.positions import Positions
from projections.tables import ALL_TABLES
from rollbook.commands_tables import parked, rebuild, verify
from rollbook.settings import Settings
from rollbook.status import status
from tests.patience import PATIENCE_SECONDS
from tests.projections.test_parked import broken, refusing_progress_of, train_two
from tests.servers import Databases
from tests.workers.world import published, train, write_side

NAMES = [table.name for table in ALL_TABLES]


def rollbook(url: str, command: click.Command, *arguments: str) -> Result:
    settings = Settings.from_environment({"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1"})
    return CliRunner().invoke(command, arguments, obj=settings)


@pytest.fixture
def filled_url(databases: Databases) -> Iterator[str]:
    """A database with two trained employees, one of whom has a row that is held up."""
    with databases.fresh() as url:
        train_two(url, broken(refusing_progress_of("e1")))
        yield url


pytestmark = pytest.mark.storage


def test_what_is_held_up_is_told_by_status_and_list(filled_url: str) -> None:
    tables = json.loads(rollbook(filled_url, status, "--json").stdout)["tables"]
    assert {name: table["parked_rows"] for name, table in tables.items()} == {
        name: int(name == "enrollment_listing") for name in NAMES
    }
    assert "1 row PARKED" in rollbook(filled_url, status).stdout
    assert "cannot take progress" in rollbook(filled_url, parked, "list").stdout
    [held] = json.loads(rollbook(filled_url, parked, "list", "--json").stdout)
    assert (held["table_name"], held["events"]) == ("enrollment_listing", 3)


def test_a_retry_applies_what_was_parked_and_records_who_did_it(filled_url: str) -> None:
    [held] = json.loads(rollbook(filled_url, parked, "list", "--json").stdout)
    done = rollbook(
        filled_url, parked, "retry", "enrollment_listing", held["key"], "--actor", "carol"
    )
    assert done.stdout == "retry: 3 applied, 0 still parked.\n"
    assert rollbook(filled_url, parked, "list").stdout == "Nothing is parked.\n"
    assert repairs(filled_url) == [("carol", "retry", None)]
    again = rollbook(filled_url, parked, "retry", "enrollment_listing", held["key"])
    assert (again.exit_code, "Nothing is parked" in again.output) == (1, True)


def test_a_skip_asks_for_a_reason_and_records_it(filled_url: str) -> None:
    [held] = json.loads(rollbook(filled_url, parked, "list", "--json").stdout)
    skip = ("skip", "enrollment_listing", held["key"], "--actor", "carol")
    for reason, code in (((), 2), (("--reason", " "), 1), (("--reason", "never true"), 0)):
        assert rollbook(filled_url, parked, *skip, *reason).exit_code == code
    assert repairs(filled_url) == [("carol", "skip", "never true")]


def repairs(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as conn:
        return conn.execute("select actor, action, reason from rollbook.repairs").fetchall()


def test_a_rebuild_puts_right_what_verify_finds(filled_url: str) -> None:
    with psycopg.connect(filled_url) as conn:
        conn.execute("update rollbook_read.enrollment_listing set percent = 1")
    found = rollbook(filled_url, verify, "--all")
    assert found.exit_code == 1
    assert "enrollment_listing DOES NOT HOLD" in found.stdout
    assert "program_listing holds" in found.stdout
    rebuilt = rollbook(filled_url, rebuild, "enrollment_listing", "program_listing")
    assert rebuilt.exit_code == 0
    assert "Rebuilt and switched" in rebuilt.stdout
    assert rollbook(filled_url, verify, "--all").exit_code == 0


@pytest.mark.parametrize("command", [verify, rebuild])
@pytest.mark.parametrize("arguments", [(), ("--all", "program_listing"), ("no_such_table",)])
def test_the_tables_must_be_named_well(command: click.Command, arguments: tuple[str, ...]) -> None:
    result = rollbook("postgresql://127.0.0.1:1/nowhere", command, *arguments)
    assert result.exit_code == 2


def test_projectors_can_share_the_tables_out(database_url: str) -> None:

    environment = os.environ | {"DATABASE_URL": database_url, "REDIS_URL": "redis://127.0.0.1:1"}
    shares = [NAMES[:1], NAMES[1:]]
    running = [
        subprocess.Popen([sys.executable, "-m", "rollbook", "projector", *names], env=environment)
        for names in shares
    ]
    try:
        with closing(Positions(database_url)) as positions, write_side(database_url) as training:
            position = train(training, published(training, "SAFE"), "e1")
            assert positions.wait(NAMES, position, PATIENCE_SECONDS)
        with psycopg.connect(database_url) as conn:
            leases = conn.execute(
                "select lease, array_agg(table_name order by table_name)"
                " from rollbook_read.progress group by lease"
            ).fetchall()
        assert sorted(names for _, names in leases) == sorted(sorted(names) for names in shares)
    finally:
        for process in running:
            process.terminate()
        assert [process.wait(PATIENCE_SECONDS) for process in running] == [0, 0]
