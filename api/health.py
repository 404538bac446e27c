"""Whether this process is alive, and whether it can serve."""

from __future__ import annotations

import psycopg
import psycopg_pool
from marshmallow import fields

from api.failures import NO_DATABASE
from api.problems import ProblemError, not_ready
from api.resource import Resource
from api.services import services
from api.shapes import Shape, given
from api.wire import Answer, answer
from eventlog.schema import is_up_to_date
from projections.standing import standing
from projections.store import unfinished
from projections.tables import PRESENT_TABLES

READY_WITHIN_SECONDS = 2.0

_OLD = "The tables are not yet those of this version."

health = Resource("health", "For whoever runs this.", prefix="")


class AliveShape(Shape):
    """The process answers."""

    status = given(fields.String)


class ReadyShape(AliveShape):
    """The process can serve."""

    position = given(fields.Integer, "The position that all read tables have reached.")
    lag = given(fields.Integer, "How many positions the log is ahead of them.")


@health.open("/healthz", answer=AliveShape)
def healthz() -> Answer:
    """Tell that this process is alive."""
    return answer({"status": "alive"})


@health.open("/readyz", answer=ReadyShape)
def readyz() -> Answer:
    """Tell whether this process can serve.

    The database answers, its tables are those of this version, and they are not far behind the log
    and have their counts and indexes.
    """
    try:
        with services().pool.connection(timeout=READY_WITHIN_SECONDS) as conn:
            if not is_up_to_date(conn):
                raise not_ready(_OLD)
            found = standing(conn)
            left = unfinished(conn, PRESENT_TABLES)
    except psycopg.errors.UndefinedTable:
        raise not_ready("There are no tables yet.") from None
    except psycopg.errors.UndefinedColumn:
        raise not_ready(_OLD) from None
    except (psycopg.Error, psycopg_pool.PoolClosed):
        raise ProblemError(NO_DATABASE) from None
    position = found.lowest(table.name for table in PRESENT_TABLES)
    if position is None:
        raise not_ready("A read table was not begun yet.")
    lag = found.lag(position)
    if lag > services().policy.max_lag:
        raise not_ready(f"The read tables are {lag} positions behind the log.")
    if left:
        raise not_ready("Some read tables lack their summaries or indexes.")
    return answer({"status": "ready", "position": position, "lag": lag})
