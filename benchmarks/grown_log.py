"""A log of many millions of events in minutes: made-up enrollments, copied within the database."""

from __future__ import annotations

from typing import LiteralString

from benchmarks.made_up_log import write_log
from benchmarks.projecting import migrate_database
from benchmarks.servers import connect_patiently
from eventlog.pool import Connection
from rollbook.assembly import event_codec

TEMPLATE_EVENTS = 10_000

# Other streams, employees and certificates with each copy; the programs stay the same.
_COPY: LiteralString = """
insert into rollbook.events (stream_id, version, topic, state)
select md5(stream_id::text || %(copy)s)::uuid, version, topic,
    replace(
        replace(state::text, '"employee-', '"employee-' || %(copy)s || '-'),
        '"RB-', '"RB-' || %(copy)s || '-'
    )::json
from template order by position limit %(events)s
"""


def grow(url: str, events: int) -> None:
    """Fills an empty database with this many events, or a few less."""
    migrate_database(url)
    with connect_patiently(url) as conn:
        conn.execute("set synchronous_commit = off")
        write_log(conn, event_codec(), TEMPLATE_EVENTS)
        _keep_template(conn)
        [(copied,)] = conn.execute("select count(*) from template").fetchall()
        for number in range((events - TEMPLATE_EVENTS) // copied):
            copy_template(conn, str(number))
        conn.execute("vacuum analyze rollbook.events")


def copy_template(conn: Connection, name: str, events: int = TEMPLATE_EVENTS) -> int:
    """Adds new enrollments like those that the log began with; returns how many events it added."""
    return conn.execute(_COPY, {"copy": name, "events": events}).rowcount


def _keep_template(conn: Connection) -> None:
    conn.execute(
        "create table template as select * from rollbook.events where topic like 'enrollment.%'"
    )
    conn.execute("analyze template")
