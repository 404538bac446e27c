"""The database role in which the application works."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from threading import Barrier
from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from eventlog.pool import Connection, open_as_login, open_connection, open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.role import ROLE, may_change_events, provide
from projections.session import open_patient, open_writing
from rollbook.migrate import migrate
from rollbook.settings import Settings
from tests.eventlog.events import a_stream
from tests.servers import Databases, Servers, with_database

LACKING = "permission denied|must be owner"
CHANGES: tuple[LiteralString, ...] = (
    "update rollbook.events set topic = 'x'",
    "delete from rollbook.events",
    "truncate rollbook.events",
    "alter table rollbook.events disable trigger events_append_only",
    "drop table rollbook.events",
    "create table rollbook.more (n int)",
)


@pytest.fixture
def app(database_url: str) -> Iterator[Connection]:
    with open_connection(database_url) as opened:
        yield opened


def test_no_connection_of_the_application_may_change_the_log(database_url: str) -> None:
    with (
        open_pool(database_url, 1) as pool,
        pool.connection() as pooled,
        open_connection(database_url) as single,
        open_writing(database_url) as writing,
        open_patient(database_url) as patient,
    ):
        for conn, change in product((pooled, single, writing, patient), CHANGES):
            # It is the privilege that lacks; the trigger is not even asked.
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match=LACKING):
                conn.execute(change)


def test_the_application_adds_events_and_reads_them(database_url: str) -> None:
    with open_pool(database_url, 1) as pool:
        recorder = PostgresRecorder(pool)
        assert recorder.insert_events(a_stream(2)) == [1, 2]
        assert len(recorder.select_notifications(1, 10)) == 2
        with pool.connection() as conn:
            assert not may_change_events(conn)


def test_what_is_only_ever_added_to_is_guarded_like_the_log(app: Connection) -> None:
    guarded = app.execute(
        "select relname from pg_trigger join pg_class on pg_class.oid = tgrelid"
        " where tgfoid = 'rollbook.refuse_change()'::regprocedure"
    ).fetchall()
    assert {("events",), ("repairs",)} <= set(guarded)
    for (table,) in guarded:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=LACKING):
            app.execute(SQL("delete from {}").format(Identifier("rollbook", table)))


def test_the_application_makes_and_drops_read_schemas_of_its_own(app: Connection) -> None:
    app.execute("create schema rollbook_other; create table rollbook_other.t (n int)")
    app.execute("drop schema rollbook_other cascade")
    app.execute("alter table rollbook_read.progress set schema rollbook_read")


def test_migrating_again_keeps_the_rights_and_hands_over_what_is_new(database_url: str) -> None:
    with open_as_login(database_url) as owner:
        owner.execute("create schema rollbook_later; create table rollbook_later.t (n int)")
    migrate(Settings.from_environment({"DATABASE_URL": database_url}))
    with open_connection(database_url) as app:
        app.execute("drop schema rollbook_later cascade")
        assert not may_change_events(app)


def test_databases_of_one_server_are_migrated_at_the_same_time(databases: Databases) -> None:
    together = Barrier(4)

    def run(url: str) -> None:
        with open_as_login(url) as conn, conn.transaction():
            together.wait()
            provide(conn)

    with ExitStack() as stack:
        urls = [stack.enter_context(databases.fresh()) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(run, url) for url in urls]:
                done.result()


@pytest.fixture
def humble_url(servers: Servers, databases: Databases) -> Iterator[str]:
    """An empty database, and a login that owns it but may not make roles."""
    name = f"rollbook_humble_{uuid4().hex[:12]}"
    login, database = Identifier(name), Identifier(name)
    with psycopg.connect(servers.maintenance_url, autocommit=True) as conn:
        conn.execute(SQL("create role {} login password 'x'").format(login))
        conn.execute(SQL("create database {} owner {}").format(database, login))
        parts = urlsplit(with_database(servers.maintenance_url, name))
        try:
            host = parts.netloc.rpartition("@")[2]
            yield urlunsplit(parts._replace(netloc=f"{name}:x@{host}"))
        finally:
            conn.execute(SQL("drop database {} with (force)").format(database))
            conn.execute(SQL("drop role {}").format(login))
    assert databases


def test_where_roles_may_not_be_made_the_trigger_guards_the_log_alone(
    humble_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    migrate(Settings.from_environment({"DATABASE_URL": humble_url}))
    assert ROLE in caplog.text
    with open_connection(humble_url) as conn:
        assert may_change_events(conn)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            conn.execute("delete from rollbook.events")


def test_a_login_that_may_give_the_role_gives_it_to_itself(
    humble_url: str, servers: Servers
) -> None:
    login = Identifier(urlsplit(humble_url).username or "")
    with psycopg.connect(servers.maintenance_url, autocommit=True) as conn:
        # What PostgreSQL gives to a login that makes a role.
        made = "grant rollbook_app to {} with admin true, set false, inherit false"
        before_16 = "alter role {} createrole"
        conn.execute(SQL(made if conn.info.server_version >= 160_000 else before_16).format(login))
    migrate(Settings.from_environment({"DATABASE_URL": humble_url}))
    with open_connection(humble_url) as app:
        assert not may_change_events(app)


def test_a_login_that_was_given_the_role_by_an_administrator_works_in_it(
    humble_url: str, servers: Servers
) -> None:
    login = Identifier(urlsplit(humble_url).username or "")
    with psycopg.connect(servers.maintenance_url, autocommit=True) as conn:
        conn.execute(SQL("grant rollbook_app to {}").format(login))
    migrate(Settings.from_environment({"DATABASE_URL": humble_url}))
    with open_connection(humble_url) as app:
        assert not may_change_events(app)
        app.execute("create schema rollbook_other; drop schema rollbook_other")
