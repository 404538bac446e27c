"""Replays: all read tables as they were, in a schema of their own, on a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event as Signal
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.sql import SQL, Identifier

from projections.names import LIVE
from projections.tables import ALL_TABLES
from rollbook.commands_replay import replay
from rollbook.settings import Settings
from tests.servers import Databases
from tests.workers.world import (
    CODEC,
    all_rows,
    published,
    tables_by_a_rebuild,
    train,
    write_side,
)
from workers.build import Stopped
from workers.replay import replay as replay_tables

pytestmark = pytest.mark.storage


class Story:
    """Two employees are trained, one after the other."""

    def __init__(self, url: str) -> None:
        self.url = url
        with write_side(url) as training:
            program = published(training, "P", capacity=1)
            self.middle = train(training, program, "e1")
            self.then = datetime.now(UTC)
            self.last = train(training, published(training, "Q"), "e2")
        self.expected = tables_by_a_rebuild(url)

    def replay(self, *arguments: str) -> Result:
        settings = Settings.from_environment(
            {"DATABASE_URL": self.url, "REDIS_URL": "redis://127.0.0.1:1"}
        )
        return CliRunner().invoke(replay, arguments, obj=settings)

    def tables(self, schema: str) -> dict[str, set[Any]]:
        return all_rows(self.url, schema)

    def statuses(self, schema: str) -> list[tuple[str, str]]:
        with psycopg.connect(self.url) as conn:
            query = SQL("SELECT employee_id, status FROM {} ORDER BY 1")
            return list(conn.execute(query.format(Identifier(schema, "enrollment_listing"))))


@pytest.fixture(scope="module")
def story(databases: Databases) -> Iterator[Story]:
    with databases.fresh() as url:
        yield Story(url)


def test_a_replay_to_the_end_of_the_log_equals_a_projection_of_it(story: Story) -> None:
    before = story.tables(LIVE)
    done = json.loads(story.replay("--to", str(story.last), "--into", "all_of_it", "--json").stdout)
    assert done["position"] == story.last
    assert not done["continued"]
    assert story.tables("all_of_it") == story.expected
    assert {table["name"] for table in done["tables"]} == {table.name for table in ALL_TABLES}
    assert story.tables(LIVE) == before


def test_a_replay_is_as_at_a_position_or_as_known_at_a_time(story: Story) -> None:
    assert story.replay("--to", str(story.middle), "--into", "at_middle").exit_code == 0
    told = story.replay("--as-of", story.then.isoformat(), "--into", "known_then")
    assert f"Replayed known_then to position {story.middle}." in told.stdout
    assert "enrollment_listing: 1 row of" in told.stdout
    assert story.statuses("at_middle") == story.statuses("known_then") == [("e1", "completed")]
    assert story.tables("at_middle") == story.tables("known_then")


def test_an_interrupted_replay_goes_on_and_ends_the_same(story: Story) -> None:
    stop = Signal()

    def run(on_progress: Any) -> Any:
        return replay_tables(
            story.url, CODEC, ALL_TABLES, story.last, "twice", stop, on_progress
        ).continued

    stop.set()
    with pytest.raises(Stopped):
        run(lambda _reached, _goal: None)
    stop.clear()
    assert run(lambda _reached, _goal: None)
    assert story.tables("twice") == story.expected


@pytest.mark.parametrize(
    "schema",
    [
        *(LIVE, "rollbook", "rollbook_rebuild", "public", "pg_catalog", "information_schema"),
        *("Upper", "a-b", 'a"b', "", "1st", "a" * 64),
    ],
)
def test_schemas_in_use_and_names_that_are_not_safe_are_refused(story: Story, schema: str) -> None:
    before = story.tables(LIVE)
    for arguments in (["--to", "1"], ["--discard"]):
        refused = story.replay(*arguments, "--into", schema)
        assert refused.exit_code == 1
        assert "Error: The schema" in refused.stderr
    assert story.tables(LIVE) == before


def test_what_is_no_replay_is_neither_built_in_nor_dropped(story: Story) -> None:
    with psycopg.connect(story.url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA theirs")
        for arguments in (["--to", "1"], ["--discard"]):
            assert story.replay(*arguments, "--into", "theirs").exit_code == 1
        story.replay("--to", "1", "--into", "mine")
        assert (
            "holds Rollbook replay to position 1"
            in story.replay("--to", "2", "--into", "mine").stderr
        )
        assert story.replay("--into", "mine", "--discard").stdout == "Discarded mine.\n"
        kept = conn.execute("SELECT to_regnamespace('theirs'), to_regnamespace('mine')").fetchone()
        assert kept == ("theirs", None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "999999"], "The log has no position 999999."),
        (["--as-of", "1999-12-31"], "No event was recorded by"),
        (["--as-of", "soon"], "is neither"),
        (["--to", "1", "--as-of", "2026-03-31"], "Give one of"),
        ([], "Give one of"),
    ],
)
def test_where_there_is_nothing_to_replay_is_said(
    story: Story, arguments: list[str], words: str
) -> None:
    refused = story.replay(*arguments, "--into", "nothing")
    assert refused.exit_code != 0
    assert words in refused.stderr
    with psycopg.connect(story.url) as conn:
        assert conn.execute("SELECT to_regnamespace('nothing')").fetchone() == (None,)
