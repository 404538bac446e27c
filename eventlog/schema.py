"""The log's tables, created and brought up to date step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
from eventsourcing.persistence import ProgrammingError

from eventlog import answers
from eventlog.facts import Fact
from eventlog.silence import wait_as_long_as_the_server

__all__ = ["Fact", "migrate"]

# Any fixed number will do, as long as nothing else in the database locks the same one.
_MIGRATION_LOCK = 0x526F6C6C626F6F6B

_EVENTS: LiteralString = """
create table rollbook.events (
    position bigint generated always as identity (cache 1 increment by 1 no cycle) primary key,
    stream_id uuid not null,
    version integer not null,
    topic text not null,
    state json not null,
    constraint events_stream_id_version_key unique (stream_id, version)
) with (
    -- Rows never change, so vacuum has nothing to collect: it only marks new pages as visible to
    -- all and frozen, a little at a time instead of all at once when the log is large.
    autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_freeze_min_age = 0,
    autovacuum_analyze_threshold = 50000,
    autovacuum_analyze_scale_factor = 0.02
)
"""

_APPEND_ONLY: LiteralString = """
create function rollbook.refuse_change() returns trigger language plpgsql as $body$
begin
    raise exception 'the event log is append-only: % on %.% is refused',
        tg_op, tg_table_schema, tg_table_name
        using errcode = 'insufficient_privilege',
              hint = 'Record a correcting event instead.';
end
$body$;
create trigger events_append_only before update or delete or truncate on rollbook.events
    for each statement execute function rollbook.refuse_change();
alter table rollbook.events enable always trigger events_append_only
"""

_SNAPSHOTS: LiteralString = """
create table rollbook.snapshots (
    stream_id uuid primary key,
    version integer not null,
    state json not null
)
"""

# A cache, so nothing is lost with the old one. Streams that grow are found by the index, without a
# look at the others.
_SNAPSHOTS_BY_TOPIC: LiteralString = """
drop table rollbook.snapshots;
create table rollbook.snapshots (
    stream_id uuid primary key,
    version integer not null,
    topic text not null,
    state json not null
);
create index events_milestones on rollbook.events (position) where version % 100 = 0
"""

# Every 25th event, where every hundredth left up to a hundred to be read behind a snapshot.
_CLOSER_MILESTONES: LiteralString = """
drop index rollbook.events_milestones;
create index events_milestones on rollbook.events (position) where version % 25 = 0
"""

# A step that was released is never edited: what it should have done is a new step.
_STEPS: Sequence[LiteralString] = (
    _EVENTS,
    _APPEND_ONLY,
    _SNAPSHOTS,
    answers.TABLE,
    _SNAPSHOTS_BY_TOPIC,
    _CLOSER_MILESTONES,
)

_SEQUENCE_QUERY: LiteralString = """
select seqcache, seqincrement, seqcycle from pg_sequence
where seqrelid = pg_get_serial_sequence('rollbook.events', 'position')::regclass
"""


def migrate(conn: psycopg.Connection[Any], facts: Sequence[Fact] = ()) -> None:
    """Creates the log's tables and the indexes of the facts, or brings them up to date.

    Does nothing where all is there; when several run at once, they take turns. Building an index
    on a large log holds up appends meanwhile. Raises ProgrammingError when the database was
    migrated by a newer version, or its sequence was altered so that the log would lose its order.
    """
    with conn.transaction():
        take_turns(conn)
        for step in range(_steps_done(conn), len(_STEPS)):
            conn.execute(_STEPS[step])
            conn.execute("insert into rollbook.eventlog_steps (step) values (%s)", (step + 1,))
        _check_sequence(conn)
        for fact in facts:
            conn.execute(fact.create_statement())


def is_up_to_date(conn: psycopg.Connection[Any]) -> bool:
    """Whether all steps of this version are done. Raises UndefinedTable before the first."""
    row = conn.execute("select max(step) from rollbook.eventlog_steps").fetchone()
    return row is not None and (row[0] or 0) >= len(_STEPS)


def take_turns(conn: psycopg.Connection[Any]) -> None:
    """Makes this transaction the only one that migrates, for as long as the work may take.

    The connection's time limits do not hold in this transaction.
    """
    conn.execute("set local statement_timeout = 0")
    conn.execute("set local lock_timeout = 0")
    wait_as_long_as_the_server(conn)
    conn.execute("select pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))


def _steps_done(conn: psycopg.Connection[Any]) -> int:
    conn.execute("create schema if not exists rollbook")
    conn.execute(
        "create table if not exists rollbook.eventlog_steps"
        " (step integer primary key, done_at timestamptz not null default now())"
    )
    row = conn.execute("select coalesce(max(step), 0) from rollbook.eventlog_steps").fetchone()
    done = row[0] if row else 0
    if done > len(_STEPS):
        message = f"The event log is at step {done}, this version knows only {len(_STEPS)}"
        raise ProgrammingError(message)
    return int(done)


def _check_sequence(conn: psycopg.Connection[Any]) -> None:
    # A backend that kept numbers in store would hand out low ones after others' higher ones, and
    # readers rely on a number being drawn before every higher one.
    if conn.execute(_SEQUENCE_QUERY).fetchone() != (1, 1, False):
        message = (
            "The sequence of rollbook.events.position must have cache 1, increment 1, no cycle"
        )
        raise ProgrammingError(message)
