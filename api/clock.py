"""What day it is."""

from __future__ import annotations

from datetime import UTC, date, datetime

from flask import g

from api.moments import asked_moment


def today() -> date:
    """Return the day in UTC, by which overdue and expired are told: that of the question."""
    moment = asked_moment()
    if moment is not None:
        return moment.day
    day: date | None = g.get("day")
    return datetime.now(UTC).date() if day is None else day


def is_answered_on(day: date) -> None:
    """Say what day it is for the present request: by one clock for all that it shows."""
    g.day = day
