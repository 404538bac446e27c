"""A log of many millions of events in minutes: made-up enrollments, copied within the database."""

from __future__ import annotations

from datetime import timedelta
from typing import LiteralString

from benchmarks.made_up_log import BEGIN, write_log
from benchmarks.projecting import migrate_database
from benchmarks.servers import connect_patiently
from eventlog.pool import Connection
from rollbook.assembly import event_codec

TEMPLATE_EVENTS = 10_000
"""One a second, so that all of them are of the day on which the made-up log begins."""

# Other streams, employees and certificates with each copy, on the next day: time goes on, as it
# does in a real log, whose newest entries lie together in every index by time. The programs stay.
_COPY: LiteralString = """
insert into rollbook.events (stream_id, version, topic, state)
select md5(stream_id::text || %(copy)s)::uuid, version, topic,
    replace(
        replace(
            replace(state::text, '"employee-', '"employee-' || %(copy)s || '-'),
            '"RB-', '"RB-' || %(copy)s || '-'
        ),
        '"' || %(first_day)s, '"' || %(day)s
    )::json
from template order by position limit %(events)s
"""


def grow(url: str, events: int) -> int:
    """Fills an empty database with this many events, or a few less.

    Returns the number for the next copy.
    """
    migrate_database(url)
    with connect_patiently(url) as conn:
        conn.execute("set synchronous_commit = off")
        write_log(conn, event_codec(), TEMPLATE_EVENTS)
        _keep_template(conn)
        [(copied,)] = conn.execute("select count(*) from template").fetchall()
        copies: int = (events - TEMPLATE_EVENTS) // copied
        for number in range(1, copies + 1):
            copy_template(conn, number)
        conn.execute("vacuum analyze rollbook.events")
    return copies + 1


def copy_template(conn: Connection, number: int, events: int = TEMPLATE_EVENTS) -> int:
    """Adds new enrollments like those that the log began with; returns how many events it added.

    Copies are numbered from 1 on; each is of a day of its own.
    """
    day = BEGIN.date() + timedelta(days=number)
    values = {
        "copy": str(number),
        "events": events,
        "first_day": f"{BEGIN.date()}",
        "day": f"{day}",
    }
    return conn.execute(_COPY, values).rowcount


def _keep_template(conn: Connection) -> None:
    conn.execute(
        "create table template as select * from rollbook.events where topic like 'enrollment.%'"
    )
    conn.execute("analyze template")
