"""What day it is."""

from __future__ import annotations

from datetime import UTC, date, datetime

from api.moments import asked_moment


def today() -> date:
    """Return the day in UTC, by which overdue and expired are told: that of the question."""
    moment = asked_moment()
    return utc_day() if moment is None else moment.day


def utc_day() -> date:
    """Return what day it is now, in UTC."""
    return datetime.now(UTC).date()
