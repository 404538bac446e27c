"""The database role in which the application works: it may add events, not change them.

`migrate` makes it, and every connection of `eventlog.pool` takes it on where its login may. A role
belongs to the whole server, so several databases share it; what it may do is said in each.
"""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg.sql import SQL, Identifier

ROLE = "rollbook_app"

_WITH_SET_OPTION = 160_000

_ASSUME: LiteralString = """
select set_config('role', found.rolname, false) from pg_roles found, pg_namespace log
where found.rolname = %s and log.nspname = 'rollbook'
    and has_schema_privilege(found.oid, log.oid, 'usage') and pg_has_role(found.oid, %s)
"""

# Two databases of one server may be migrated at once, and both make the role.
_CREATE: LiteralString = """
do $body$ begin
    if to_regrole('rollbook_app') is null then create role rollbook_app nologin; end if;
exception when duplicate_object or unique_violation then null;
end $body$
"""

_MAY_TAKE_ON: LiteralString = "select pg_has_role('rollbook_app', %s)"
_LACKS_DATABASE: LiteralString = (
    "select not has_database_privilege('rollbook_app', current_database(), 'create')"
)

_GRANT: LiteralString = """
grant usage on schema rollbook to rollbook_app;
grant select, insert, update, delete, truncate on all tables in schema rollbook to rollbook_app;
grant usage on all sequences in schema rollbook to rollbook_app
"""

# A table is append-only when it has the log's trigger.
_APPEND_ONLY: LiteralString = """
select relname from pg_trigger join pg_class on pg_class.oid = tgrelid
where tgfoid = 'rollbook.refuse_change()'::regprocedure
"""
_REVOKE: LiteralString = "revoke update, delete, truncate on {} from rollbook_app"

_READ_SCHEMAS: LiteralString = """
select nspname from pg_namespace
where starts_with(nspname, 'rollbook_') and nspowner <> 'rollbook_app'::regrole
"""
_OWN_SCHEMA: LiteralString = "alter schema {} owner to rollbook_app"

_READ_TABLES: LiteralString = """
select nspname, relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
where starts_with(nspname, 'rollbook_') and relowner <> 'rollbook_app'::regrole
    and relkind in ('r', 'p', 'v', 'm')
"""
_OWN_TABLE: LiteralString = "alter table {} owner to rollbook_app"

_CHANGEABLE: LiteralString = (
    "select has_table_privilege('rollbook.events', 'update, delete, truncate')"
)


def assume(conn: psycopg.Connection[Any]) -> None:
    """Works on in the role, where the login is a member and `provide` was here; or as before."""
    conn.execute(_ASSUME, (ROLE, _membership(conn)))


def provide(conn: psycopg.Connection[Any]) -> None:
    """Makes the role and says what it may do in this database; the last step of a migration.

    In `rollbook` it may do everything with the tables that are there, but only read from and
    insert into those that are append-only. It owns the schemas `rollbook_*` of the read tables
    and may make more of them. Raises psycopg.errors.InsufficientPrivilege, with nothing done,
    when the login may not say so.
    """
    with conn.transaction():
        conn.execute(_CREATE)
        if not _is_true(conn, _MAY_TAKE_ON, _membership(conn)):
            conn.execute("grant rollbook_app to current_user")
        if _is_true(conn, _LACKS_DATABASE):
            database = Identifier(conn.info.dbname)
            conn.execute(SQL("grant create on database {} to rollbook_app").format(database))
        conn.execute(_GRANT)
        for (table,) in conn.execute(_APPEND_ONLY).fetchall():
            conn.execute(SQL(_REVOKE).format(Identifier("rollbook", table)))
        for (schema,) in conn.execute(_READ_SCHEMAS).fetchall():
            conn.execute(SQL(_OWN_SCHEMA).format(Identifier(schema)))
        for name in conn.execute(_READ_TABLES).fetchall():
            conn.execute(SQL(_OWN_TABLE).format(Identifier(*name)))


def may_change_events(conn: psycopg.Connection[Any]) -> bool:
    """Whether nothing but the trigger keeps this connection from changing an event."""
    return _is_true(conn, _CHANGEABLE)


def _membership(conn: psycopg.Connection[Any]) -> str:
    """What a login needs to take on a role: since PostgreSQL 16 a member may lack it."""
    return "set" if conn.info.server_version >= _WITH_SET_OPTION else "member"


def _is_true(conn: psycopg.Connection[Any], question: LiteralString, *values: str) -> bool:
    return conn.execute(question, values).fetchone() == (True,)
