"""Schemas for read tables as they were: which names they may have, and what marks them."""

from __future__ import annotations

import re

from psycopg.sql import SQL, Identifier, Literal

from eventlog.pool import Connection

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_OURS = re.compile(r"rollbook|pg_|public$|information_schema$")
_MARK = "Rollbook replay to position "

_COMMENT = "SELECT obj_description(to_regnamespace(%s), 'pg_namespace')"


class UnsafeSchemaError(ValueError):
    """Nothing may be replayed into this schema, and it may not be dropped."""

    def __init__(self, schema: str, rule: str) -> None:
        super().__init__(f"The schema {schema!r} {rule}.")
        self.schema = schema


def require_safe(schema: str) -> None:
    """Refuse names of schemas that are in use, and those that would have to be quoted.

    Raises `UnsafeSchemaError`.
    """
    if not _NAME.fullmatch(schema):
        rule = "must be named with a to z, 0 to 9 and _, a letter first, 63 characters at most"
        raise UnsafeSchemaError(schema, rule)
    if _OURS.match(schema):
        raise UnsafeSchemaError(schema, "is in use: choose a name of its own")


def claim(conn: Connection, schema: str, position: int) -> bool:
    """Mark the schema as a replay to `position`, and return whether it was one before.

    Raises `UnsafeSchemaError` when it holds anything else.
    """
    require_safe(schema)
    mark = f"{_MARK}{position}"
    with conn.transaction():
        if _exists(conn, schema):
            found = _comment(conn, schema)
            if found != mark:
                raise UnsafeSchemaError(schema, f"holds {found or 'something else'}")
            return True
        conn.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
        conn.execute(SQL("COMMENT ON SCHEMA {} IS {}").format(Identifier(schema), Literal(mark)))
    return False


def drop(conn: Connection, schema: str) -> None:
    """Throw a replay away, finished or not. Raises `UnsafeSchemaError` for anything else."""
    require_safe(schema)
    if not (_comment(conn, schema) or "").startswith(_MARK):
        raise UnsafeSchemaError(schema, "holds no replay")
    conn.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))


def _exists(conn: Connection, schema: str) -> bool:
    return conn.execute("SELECT to_regnamespace(%s)", (schema,)).fetchone() != (None,)


def _comment(conn: Connection, schema: str) -> str | None:
    row = conn.execute(_COMMENT, (schema,)).fetchone()
    return row[0] if row else None
