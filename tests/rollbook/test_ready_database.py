"""What each command says while the database is away, or has no tables yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import click
import psycopg
import pytest
from click.testing import CliRunner, Result

from rollbook.cli import main
from rollbook.counted import counted
from rollbook.settings import Settings
from tests.servers import Databases

DATA = Path(__file__).parents[1] / "data" / "oulad"
REASON = ("--reason", "Case 17")
ASKING = {
    "audit checkpoint": (),
    "audit export": ("--employee", "e1", "--out", "e1.bundle"),
    "audit verify": ("--live",),
    "import oulad": (str(DATA),),
    "import csv": ("--programs", __file__),
    "status": (),
    "rebuild": ("--all",),
    "verify": ("--all",),
    "replay": ("--to", "1", "--into", "march"),
    "parked list": (),
    "parked retry": ("legal_holds", str(UUID(int=1))),
    "parked skip": ("legal_holds", str(UUID(int=1)), *REASON),
    "demo": (),
    "erase": ("e1", *REASON),
    "hold place": ("e1", *REASON),
    "hold lift": ("e1", *REASON),
    "hold list": (),
    "alive": ("projector",),
}
WAITING = {"run", "migrate", "api", "projector", "publisher", "snapshotter", "notary"}
# 1 would mean that the log does not hold.
FAILED = {"audit verify": 2}
NEEDING_NONE = {"token", "audit key"}


def commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name, command


COMMANDS = dict(commands(main))


def result_of(name: str, url: str, home: Path) -> Result:
    settings = Settings.from_environment(
        {"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1", "ROLLBOOK_HOME": str(home)}
    )
    return CliRunner().invoke(COMMANDS[name], ASKING[name], obj=settings)


def test_every_command_is_looked_at() -> None:
    assert set(COMMANDS) == set(ASKING) | WAITING | NEEDING_NONE


@pytest.mark.parametrize("name", sorted(ASKING))
def test_a_database_that_is_away_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    result = result_of(name, "postgresql://me:hunter2@127.0.0.1:1/nowhere", tmp_path)
    assert result.exit_code == FAILED.get(name, 1)
    *_, last = result.output.splitlines()
    assert "The database does not answer: " in last
    assert "hunter2" not in result.output


def test_the_embedded_database_is_told_how_to_start(tmp_path: Path) -> None:
    settings = Settings.from_environment({"ROLLBOOK_HOME": str(tmp_path)})
    result = CliRunner().invoke(COMMANDS["demo"], obj=settings)
    assert result.exit_code == 1
    assert result.output.endswith("\nStart it first, with: rollbook run\n")


def test_a_database_without_tables_is_told_what_makes_them(
    databases: Databases, tmp_path: Path
) -> None:
    with databases.fresh() as url:
        with psycopg.connect(url) as conn:
            conn.execute("DROP SCHEMA rollbook, rollbook_read CASCADE")
        for name in ASKING:
            result = result_of(name, url, tmp_path)
            assert result.exit_code == FAILED.get(name, 1), name
            *_, last = result.output.splitlines()
            assert last.endswith("The database has no tables yet. Run first: rollbook migrate")


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 holds"), (1, "1 hold"), (2, "2 holds"), (1_000, "1,000 holds")]
)
def test_one_is_counted_in_the_singular(number: int, words: str) -> None:
    assert counted(number, "hold") == words
