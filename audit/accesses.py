"""Who looked at audit data. Only ever added to, in a table of its own beside the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import LiteralString

from psycopg.rows import args_row

from eventlog.pool import Connection
from projections.conditions import Conditions

_TABLE: LiteralString = """
CREATE TABLE IF NOT EXISTS rollbook.audit_accesses (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    accessed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reader text NOT NULL,
    roles text[] NOT NULL,
    operation text NOT NULL,
    asked_for text NOT NULL,
    employees text[] NOT NULL,
    status integer,
    correlation_id text
);
CREATE INDEX IF NOT EXISTS audit_accesses_reader
    ON rollbook.audit_accesses (reader, number);
CREATE INDEX IF NOT EXISTS audit_accesses_employees
    ON rollbook.audit_accesses USING gin (employees);
CREATE INDEX IF NOT EXISTS audit_accesses_accessed_at
    ON rollbook.audit_accesses USING brin (accessed_at);
CREATE OR REPLACE TRIGGER audit_accesses_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON rollbook.audit_accesses
    FOR EACH STATEMENT EXECUTE FUNCTION rollbook.refuse_change()
"""

_ADD: LiteralString = """
INSERT INTO rollbook.audit_accesses
    (reader, roles, operation, asked_for, employees, status, correlation_id)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""

_COLUMNS = (
    "number, accessed_at, reader, roles, operation, asked_for, employees, status, correlation_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One look at audit data.

    Attributes:
        reader: who looked: the subject of the token, or the account that ran a command.
        roles: in which roles.
        operation: what was called, as `get_employee_history` or `rollbook audit export`.
        asked_for: the path with its query, or the command with its arguments.
        employees: whose data was shown; for a denied look, whose was asked for.
        status: the HTTP status of the answer; None for commands.
        correlation_id: the request's, or None.
    """

    reader: str
    roles: Sequence[str]
    operation: str
    asked_for: str
    employees: Sequence[str]
    status: int | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedAccess:
    """An access as it was logged: its number, which rises, and its time."""

    number: int
    accessed_at: datetime
    reader: str
    roles: Sequence[str]
    operation: str
    asked_for: str
    employees: Sequence[str]
    status: int | None
    correlation_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAccesses:
    """Which accesses are wanted; None asks for nothing. Times are from the first up to the second.

    Attributes:
        employee_id: whose data was looked at.
        before_number: only those that were logged earlier than this one.
    """

    reader: str | None = None
    employee_id: str | None = None
    accessed_from: datetime | None = None
    accessed_before: datetime | None = None
    before_number: int | None = None


def create_table(conn: Connection) -> None:
    """Create the table where it is missing; the log's own tables must be there."""
    conn.execute(_TABLE)


def add(conn: Connection, access: Access) -> None:
    """Log the access, before anything is shown. Raises psycopg.Error when that cannot be done."""
    reader, roles, operation, asked_for, employees, *rest = astuple(access)
    conn.execute(
        _ADD, (reader, list(roles), operation, asked_for, list(employees), *rest), prepare=True
    )


def latest(conn: Connection, wanted: WantedAccesses, limit: int) -> list[LoggedAccess]:
    """Return the latest accesses that are wanted, the last one first."""
    conditions = Conditions()
    conditions.add_given("reader = %s", wanted.reader)
    conditions.add_given("employees @> ARRAY[%s]", wanted.employee_id)
    conditions.add_given("accessed_at >= %s", wanted.accessed_from)
    conditions.add_given("accessed_at < %s", wanted.accessed_before)
    conditions.add_given("number < %s", wanted.before_number)
    query = f"""
        SELECT {_COLUMNS} FROM rollbook.audit_accesses
        WHERE {conditions.sql} ORDER BY number DESC LIMIT %s
    """  # noqa: S608  # made of constants
    with conn.cursor(row_factory=args_row(LoggedAccess)) as cursor:
        return cursor.execute(query.encode(), [*conditions.values, limit]).fetchall()
