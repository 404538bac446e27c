"""The directory's tables: the employees, and how many of them there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

if TYPE_CHECKING:
    from psycopg import Connection

_IS_MISSING: LiteralString = "SELECT to_regclass('rollbook.employees') IS NULL"

# Letters and digits are what is searched for; everything else only divides words.
_TABLES: LiteralString = """
CREATE TABLE rollbook.employees (
    id text PRIMARY KEY,
    name text,
    email text,
    department text,
    manager text,
    active boolean NOT NULL,
    version integer NOT NULL,
    words tsvector GENERATED ALWAYS AS (to_tsvector(
        'simple', translate(coalesce(name, '') || ' ' || id, '-./_@:&?=~+#<>', '              ')
    )) STORED
);
CREATE INDEX employees_1 ON rollbook.employees (active, (coalesce(name, '')), id);
CREATE INDEX employees_2 ON rollbook.employees (department, active, (coalesce(name, '')), id);
CREATE INDEX employees_3 ON rollbook.employees (manager, (coalesce(name, '')), id);
CREATE INDEX employees_4 ON rollbook.employees USING gin (words);

CREATE TABLE rollbook.employee_counts (
    department text NOT NULL,
    active boolean NOT NULL,
    employees bigint NOT NULL,
    changes bigint NOT NULL,
    PRIMARY KEY (department, active)
) WITH (fillfactor = 50)
"""

# Whoever writes the employees, the counts agree with them: each statement counts what it did, in
# the same transaction, and all in the same order, so that no two wait for each other in a ring.
_COUNTING: LiteralString = """
CREATE FUNCTION rollbook.count_{event}() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO rollbook.employee_counts AS held
    SELECT coalesce(department, ''), active, sum(more), count(*) FROM ({changed}) changed
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (department, active) DO UPDATE
    SET employees = held.employees + excluded.employees, changes = held.changes + excluded.changes;
    RETURN NULL;
END $body$;
CREATE TRIGGER count_{event} AFTER {event} ON rollbook.employees REFERENCING {tables}
FOR EACH STATEMENT EXECUTE FUNCTION rollbook.count_{event}()
"""
_ARRIVED: LiteralString = "SELECT department, active, 1 AS more FROM arrived"
_GONE: LiteralString = "SELECT department, active, -1 AS more FROM gone"
_EVENTS: tuple[tuple[LiteralString, LiteralString, LiteralString], ...] = (
    ("insert", "NEW TABLE AS arrived", _ARRIVED),
    ("delete", "OLD TABLE AS gone", _GONE),
    ("update", "NEW TABLE AS arrived OLD TABLE AS gone", f"{_ARRIVED} UNION ALL {_GONE}"),
)


def create_tables(conn: Connection[Any]) -> None:
    """Create the tables where they are missing; `changes` of the counts only ever rises."""
    if conn.execute(_IS_MISSING).fetchone() == (False,):
        return
    conn.execute(_TABLES)
    for event, tables, changed in _EVENTS:
        conn.execute(_COUNTING.format(event=event, tables=tables, changed=changed))
