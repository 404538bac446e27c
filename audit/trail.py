"""Searching the whole log by its audit trail, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from audit.history import Step, steps
from audit.wanted import Wanted
from eventlog.codec import EventCodec
from eventlog.history import events_of_streams
from eventlog.pool import Connection
from projections.conditions import Conditions

_TRAIL = "rollbook_read.audit_trail"


@dataclass(frozen=True, slots=True)
class TrailWindow:
    """Which page of the events is wanted.

    Attributes:
        limit: the most events on it.
        after: the position of the event before the page; None for the first page.
        sort: `position`, `recorded_at` or `effective_at`; of the same time by position.
        newest_first: whether it falls.
    """

    limit: int
    after: int | None = None
    sort: str = "position"
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Events in order, and the position to go on after, if there are more."""

    steps: Sequence[Step]
    after: int | None


def search(conn: Connection, codec: EventCodec, wanted: Wanted, window: TrailWindow) -> TrailPage:
    """Return the page of the events of the whole log that are wanted."""
    found = _found(conn, wanted.conditions, window)
    shown = found[: window.limit]
    up_to_version: dict[UUID, int] = {}
    for _, stream_id, version in shown:
        up_to_version[stream_id] = max(version, up_to_version.get(stream_id, 0))
    told = steps(conn, codec, events_of_streams(conn, up_to_version))
    by_position = {step.stored.id: step for step in told}
    page = [by_position[position] for position, _, _ in shown if position in by_position]
    return TrailPage(page, shown[-1][0] if len(found) > len(shown) else None)


def _found(
    conn: Connection, conditions: Conditions, window: TrailWindow
) -> list[tuple[int, UUID, int]]:
    direction, beyond = ("DESC", "<") if window.newest_first else ("ASC", ">")
    key = [f"t.{name}" for name in dict.fromkeys((window.sort, "position"))]
    order = ", ".join(f"{column} {direction}" for column in key)
    if window.after is not None:
        of_last = f"(SELECT {window.sort} FROM {_TRAIL} WHERE position = %s)"  # noqa: S608  # a constant
        last = ", ".join([of_last, "%s"][-len(key) :])
        conditions.add(f"({', '.join(key)}) {beyond} ({last})", *[window.after] * len(key))
    query = f"""
        SELECT t.position, t.stream_id, t.version FROM {_TRAIL} t
        WHERE {conditions.sql} ORDER BY {order} LIMIT %s
    """  # noqa: S608  # made of constants
    return conn.execute(query.encode(), [*conditions.values, window.limit + 1]).fetchall()
