"""The projector with real processes on a real PostgreSQL."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from dataclasses import replace
from threading import Event

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from domain.enrollment import Source
from domain.signature import Signing
from eventlog.pool import open_connection
from projections.certificate_register import CERTIFICATE_REGISTER
from projections.lease import Lease, LeaseLost
from projections.names import LIVE
from projections.positions import Positions
from projections.store import sql_tables
from projections.tables import ALL_TABLES
from tests.patience import PATIENCE_SECONDS
from tests.workers.world import (
    ACT,
    CODEC,
    all_rows,
    projecting,
    projector,
    published,
    tables_by_a_rebuild,
    train,
    write_side,
)
from workers.verify import verify

TABLES = [table.name for table in ALL_TABLES]


def test_what_was_written_is_shown_soon(database_url: str) -> None:
    with (
        projecting(database_url),
        write_side(database_url) as training,
        closing(Positions(database_url)) as positions,
    ):
        position = train(training, published(training, "SAFE"), "e1")
        assert positions.wait(TABLES, position, PATIENCE_SECONDS)
    with psycopg.connect(database_url) as conn:
        query = "SELECT status, percent, score_percent FROM rollbook_read.enrollment_listing"
        assert conn.execute(query).fetchall() == [("completed", 50.0, 80.0)]
    assert all_rows(database_url) == tables_by_a_rebuild(database_url)


def test_after_an_erasure_the_rows_are_those_of_a_rebuild_without_the_key(
    database_url: str,
) -> None:
    with (
        projecting(database_url),
        write_side(database_url) as training,
        closing(Positions(database_url)) as positions,
    ):
        program_id = published(training, "SAFE")
        for grade in ("A, with a cold", "B"):
            enrolled = training.enroll(program_id, "e1", ACT, Source.ASSIGNED).subject
            signing = Signing(printed_name="Ina Instructor", meaning="approved")
            done = training.complete(enrolled.id, ACT, 80.0, grade, signing)
        train(training, program_id, "e2")
        assert positions.wait(TABLES, done.position or 0, PATIENCE_SECONDS)
        assert "with a cold" in str(all_rows(database_url))
        erased = training.erase_person("e1", replace(ACT, reason="Case 17"))
        assert positions.wait(TABLES, erased.position or 0, PATIENCE_SECONDS)
    live = all_rows(database_url)
    assert "with a cold" not in str(live)
    assert "Ina Instructor" not in str(live)
    assert live == tables_by_a_rebuild(database_url)


def test_killed_over_and_over_it_shows_what_a_rebuild_shows(database_url: str) -> None:
    with closing(Positions(database_url)) as positions, write_side(database_url) as training:
        program_id = published(training, "SAFE")
        limited = published(training, "FEW", capacity=5)
        position = 0
        for round_number in range(4):
            with projector(database_url):
                for number in range(10):
                    position = train(training, program_id, f"e{round_number * 10 + number}")
                    if number < 2:
                        position = (
                            train(training, limited, f"e{round_number * 2 + number}")
                            if round_number < 2
                            else position
                        )
                # It is killed on leaving, wherever it is.
        with projector(database_url):
            assert positions.wait(TABLES, position, PATIENCE_SECONDS)
    assert all_rows(database_url) == tables_by_a_rebuild(database_url)
    assert all(verdict.holds for verdict in verify(database_url, CODEC, ALL_TABLES, Event()))


def test_another_projector_takes_over_from_one_that_stalls_which_then_writes_nothing(
    database_url: str,
) -> None:
    with closing(Positions(database_url)) as positions, write_side(database_url) as training:
        program_id = published(training, "SAFE")
        with projector(database_url) as first:
            assert positions.wait(TABLES, train(training, program_id, "e1"), PATIENCE_SECONDS)
            os.kill(first.pid, signal.SIGSTOP)
            with projector(database_url):
                assert positions.wait(TABLES, train(training, program_id, "e2"), PATIENCE_SECONDS)
                os.kill(first.pid, signal.SIGCONT)
                position = train(training, program_id, "e3")
                assert positions.wait(TABLES, position, PATIENCE_SECONDS)
    assert all_rows(database_url) == tables_by_a_rebuild(database_url)


def test_who_lost_the_lease_can_write_nothing(database_url: str) -> None:
    with open_connection(database_url) as old, open_connection(database_url) as new:
        lost, free = Lease(LIVE), Lease(LIVE)
        reached = lost.take(old, ALL_TABLES)
        assert sorted(reached) == sorted(TABLES)
        assert free.take(new, ALL_TABLES) == {}
        new.execute("UPDATE rollbook_read.progress SET leased_until = '-infinity'")
        assert sorted(free.take(new, ALL_TABLES)) == sorted(TABLES)
        with pytest.raises(LeaseLost):
            lost.renew(old)
        with pytest.raises(LeaseLost), old.transaction():
            lost.advance(old, reached)


def test_tables_can_be_shared_out_among_projectors(database_url: str) -> None:
    with open_connection(database_url) as conn:
        first, second = Lease(LIVE), Lease(LIVE)
        assert list(first.take(conn, ALL_TABLES[:1])) == TABLES[:1]
        assert sorted(second.take(conn, ALL_TABLES)) == sorted(TABLES[1:])
        first.give_back(conn)
        assert list(second.take(conn, ALL_TABLES)) == TABLES[:1]


def test_a_table_that_was_built_by_another_definition_is_left_alone(database_url: str) -> None:
    newer = replace(ALL_TABLES[0], definition=ALL_TABLES[0].definition + 1)
    with open_connection(database_url) as conn:
        assert Lease(LIVE).take(conn, [newer]) == {}


def test_a_new_table_catches_up_without_holding_up_the_others(database_url: str) -> None:
    with closing(Positions(database_url)) as positions, write_side(database_url) as training:
        program_id = published(training, "SAFE")
        with projecting(database_url):
            assert positions.wait(TABLES, train(training, program_id, "e1"), PATIENCE_SECONDS)
        with open_connection(database_url) as conn:
            for name in sql_tables([CERTIFICATE_REGISTER]):
                conn.execute(SQL("TRUNCATE {}").format(Identifier(LIVE, name)))
            conn.execute(
                "UPDATE rollbook_read.progress SET position = 0, events = 0, digest = 0"
                " WHERE table_name = 'certificate_register'"
            )
        with projecting(database_url):
            assert positions.wait(TABLES, train(training, program_id, "e2"), PATIENCE_SECONDS)
    assert all_rows(database_url) == tables_by_a_rebuild(database_url)


def test_a_projector_whose_connections_are_cut_goes_on(database_url: str) -> None:
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND application_name = 'cut me'"
    )
    with closing(Positions(database_url)) as positions, write_side(database_url) as training:
        program_id = published(training, "SAFE")
        with projecting(
            f"{database_url}{'&' if '?' in database_url else '?'}application_name=cut%20me"
        ):
            for number in range(5):
                position = train(training, program_id, f"e{number}")
                with psycopg.connect(database_url, autocommit=True) as conn:
                    conn.execute(cut)
            assert positions.wait(TABLES, position, PATIENCE_SECONDS)
    assert all_rows(database_url) == tables_by_a_rebuild(database_url)
