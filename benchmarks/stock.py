"""What comes with the `eventsourcing` library: its recorder, and its runner, with one table."""

from __future__ import annotations

from time import perf_counter, sleep
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, Tracking
from eventsourcing.postgres import (
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresTrackingRecorder,
)
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL

from rollbook.assembly import event_codec

_GLANCE_SECONDS = 0.01

_FILL: LiteralString = """
insert into stored_events (originator_id, originator_version, topic, state, notification_id)
select stream_id, version, topic, convert_to(state::text, 'UTF8'), position from rollbook.events
where position <= %s
"""


def place(url: str) -> dict[str, Any]:
    """Where the database is, by the names that the library gives to the parts."""
    parts = conninfo_to_dict(url)
    return {
        "dbname": str(parts["dbname"]),
        "host": str(parts.get("host") or "127.0.0.1"),
        "port": str(parts.get("port") or 5432),
        "user": str(parts.get("user") or "postgres"),
        "password": str(parts.get("password") or "none"),
    }


def stock_recorder(url: str) -> PostgresApplicationRecorder:
    """The library's recorder, with connections that are kept."""
    return PostgresApplicationRecorder(PostgresDatastore(**place(url)))


def copy_log(url: str, up_to: int) -> None:
    """Puts the events up to this position into the library's own table, which is emptied first."""
    with psycopg.connect(url) as conn:
        conn.execute("DROP TABLE IF EXISTS stored_events")
    stock_recorder(url).create_table()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(_FILL, (up_to,))
        conn.execute("VACUUM ANALYZE stored_events")


class StockApplication(Application[UUID]):
    """The library's application over its own tables; the events are ours."""

    name = "stored"

    def construct_mapper(self) -> Mapper[UUID]:
        """Decode as fast as the projector does."""
        return event_codec()


class Counts(PostgresTrackingRecorder):
    """One trivial table: how many events of each topic."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS counts (topic text PRIMARY KEY, events bigint)"
            ).format()
        )

    def count(self, topic: str, tracking: Tracking) -> None:
        """Count one event, and where it stands, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO counts VALUES (%s, 1)"
                " ON CONFLICT (topic) DO UPDATE SET events = counts.events + 1",
                (topic,),
            )


class Counting(Projection[Counts]):
    """The library's projection of that table."""

    name = "counting"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Count the event."""
        self.view.count(domain_event.TOPIC, tracking)


def rate_of_stock_runner(url: str, events: int) -> float:
    """Events per second of the library's runner, for as many as its table holds."""
    with psycopg.connect(url) as conn:
        conn.execute("DROP TABLE IF EXISTS counts, counting_tracking")
    env = {f"POSTGRES_{name.upper()}": value for name, value in place(url).items()}
    began = perf_counter()
    with ProjectionRunner(
        application_class=StockApplication,
        projection_class=Counting,
        view_class=Counts,
        env={**env, "PERSISTENCE_MODULE": "eventsourcing.postgres"},
    ) as runner:
        while (runner.view.max_tracking_id("stored") or 0) < events:
            sleep(_GLANCE_SECONDS)
        return events / (perf_counter() - began)
