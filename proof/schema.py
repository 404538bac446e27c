"""The tables of the tree and of its checkpoints: only ever added to, like the log.

The leaves of a tile, 256 of them, stand in one row or, where they came in one after the other, in
several that follow each other. Above them there is one hash for each full tile, one for each 256
of those, and so on.
"""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg

_LEAVES: LiteralString = """
create table if not exists rollbook.merkle_leaves (
    first bigint primary key,
    last_position bigint not null unique,
    positions bigint[] not null,
    hashes bytea not null,
    check (octet_length(hashes) = 32 * cardinality(positions))
);
-- Hashes cannot be compressed.
alter table rollbook.merkle_leaves alter column hashes set storage external
"""

_SUBTREES: LiteralString = """
create table if not exists rollbook.merkle_subtrees (
    level smallint not null,
    number bigint not null,
    hash bytea not null,
    primary key (level, number)
)
"""

_CHECKPOINTS: LiteralString = """
create table if not exists rollbook.checkpoints (
    number bigint generated always as identity primary key,
    size bigint not null,
    key text not null,
    note text not null,
    made_at timestamptz not null default now(),
    unique (size, key)
)
"""

_SENT: LiteralString = """
create table if not exists rollbook.checkpoints_sent (
    destination text primary key,
    number bigint not null
)
"""

_APPEND_ONLY: LiteralString = """
create or replace trigger merkle_leaves_append_only
    before update or delete or truncate on rollbook.merkle_leaves
    for each statement execute function rollbook.refuse_change();
create or replace trigger merkle_subtrees_append_only
    before update or delete or truncate on rollbook.merkle_subtrees
    for each statement execute function rollbook.refuse_change();
create or replace trigger checkpoints_append_only
    before update or delete or truncate on rollbook.checkpoints
    for each statement execute function rollbook.refuse_change()
"""


def create_tables(conn: psycopg.Connection[Any]) -> None:
    """Creates what is missing, beside a log that is there."""
    for statement in (_LEAVES, _SUBTREES, _CHECKPOINTS, _SENT, _APPEND_ONLY):
        conn.execute(statement)
