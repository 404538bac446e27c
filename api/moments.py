"""As of when a question is asked: the parameters, and the moment that they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import g
from marshmallow import Schema

from api.access import caller
from api.asked import asked
from api.audit_log import asks_for_history
from api.fields import DAY_PATTERN, Body, Moment
from api.parameters import ABSENT, WholeParameter
from api.problems import FieldError, Problem, ProblemError, invalid, not_found
from api.services import services
from api.wire import Answered
from domain.permissions import Permission
from projections.as_of import Moment as Times

MAX_VERSION = 2**31 - 1
_DAY = re.compile(DAY_PATTERN, re.ASCII)
NAMES = ("as_of", "known_at", "version")

Endpoint = Callable[..., Answered]
StreamOf = Callable[..., UUID | None]
"""From the ids in a path to the stream whose versions are meant."""


class TimeParameter(Moment):
    """A time, or a day, which means its end in UTC. Not in the future."""

    default_error_messages = {  # noqa: RUF012  # as marshmallow has it
        "invalid": "must be a date as 2026-03-31, or a time with its zone as 2026-03-31T09:00:00Z",
        "future": "must not be in the future",
    }

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> datetime:
        now = datetime.now(UTC)
        day = _day(value)
        if day is not None and day <= now.date():
            # A day that is not over yet goes as far as it has come.
            return min(now, datetime.combine(day, time.max, UTC))
        if day is not None:
            raise self.make_error("future")
        moment: datetime = super()._deserialize(value, *rest, **options)
        if moment > now:
            raise self.make_error("future")
        return moment


class MomentParameters(Body):
    """What every question takes that can be asked of the past."""

    as_of = TimeParameter(
        **ABSENT,
        metadata={
            "description": "What was so then (effective time): a time, or a day up to its end in"
            " UTC. Where only `known_at` is given it is the same; otherwise now."
        },
    )
    known_at = TimeParameter(
        **ABSENT,
        metadata={
            "description": "As far as it was recorded then: a time, or a day up to its end in UTC."
            " Now where nothing is said."
        },
    )


class VersionParameters(MomentParameters):
    """What a question about one resource takes that can be asked of the past."""

    version = WholeParameter(
        1,
        MAX_VERSION,
        **ABSENT,
        metadata={"description": "As it was at this version, instead of at two times."},
    )


def asked_moment() -> Times | None:
    """Return the moment that the request asks about, or None for the present."""
    moment: Times | None = g.get("moment")
    return moment


def asked_times() -> dict[str, str]:
    """Return the times that the request gave as it was understood: `today` was a moment of it."""
    moment = asked_moment()
    if moment is None:
        return {}
    times = {"as_of": in_utc(moment.as_of), "known_at": in_utc(moment.known_at)}
    return {name: time for name, time in times.items() if name in asked().args}


def in_utc(moment: datetime) -> str:
    """Return the time as parameters take it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def of_the_past(parameters: type[Schema] | None, stream_of: StreamOf | None) -> type[Schema]:
    """Return the parameters of a question with those that ask it of the past."""
    own = parameters or Body
    added = MomentParameters if stream_of is None else VersionParameters
    return type(own.__name__, (added, own), {"__doc__": own.__doc__})


def asking(
    permission: Permission, stream_of: StreamOf | None, *, has_parameters: bool
) -> Callable[[Endpoint], Endpoint]:
    """Let the decorated query be asked of the moment that its parameters mean.

    Figures may be asked as of any two times by whoever may see them. What records said
    before they were corrected is history: `known_at` and `version` ask for that permission.
    """

    def decorate(query: Endpoint) -> Endpoint:
        @wraps(query)
        def at_moment(parameters: Mapping[str, Any], **ids: Any) -> Answered:
            asked = {name: parameters.get(name) for name in NAMES}
            if permission is not Permission.READ_ANALYTICS and (
                asked["known_at"] or asked["version"]
            ):
                asks_for_history()
                caller().acting(Permission.READ_HISTORY)
            g.moment = _moment(asked, stream_of, ids)
            rest = {name: value for name, value in parameters.items() if name not in NAMES}
            try:
                return query(rest, **ids) if has_parameters else query(**ids)
            except ProblemError as error:
                raise _as_of_then(error.problem) from None

        return at_moment

    return decorate


def _as_of_then(problem: Problem) -> ProblemError:
    """Return the refusal, saying of which moment it is: something may be there at another."""
    moment = asked_moment()
    if moment is None or problem.status != HTTPStatus.NOT_FOUND:
        return ProblemError(problem)
    times = {"as_of": in_utc(moment.as_of), "known_at": in_utc(moment.known_at)}
    then = f"That is as of {times['as_of']}, as known at {times['known_at']}."
    return ProblemError(
        replace(problem, detail=f"{problem.detail} {then}", facts={**problem.facts, **times})
    )


def _moment(
    asked: Mapping[str, Any], stream_of: StreamOf | None, ids: Mapping[str, Any]
) -> Times | None:
    as_of, known_at, version = (asked[name] for name in NAMES)
    if version is not None and stream_of is not None:
        if as_of or known_at:
            rule = "must not be given together with as_of or known_at"
            raise invalid([FieldError("version", rule)])
        return _moment_of_version(stream_of(**ids), version, ids)
    if as_of is None and known_at is None:
        return None
    return Times(as_of or known_at, known_at or datetime.now(UTC))


def _moment_of_version(stream_id: UUID | None, version: int, ids: Mapping[str, Any]) -> Times:
    """Return when the version was recorded: nothing later was known, and nothing took effect."""
    (name, value), *_ = ids.items()
    event = None if stream_id is None else services().training.event(stream_id, version)
    if event is None:
        kind = name.removesuffix("_id").replace("number", "certificate")
        raise not_found(f"version {version} of {kind}", str(value))
    return Times(event.timestamp, event.timestamp)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if _DAY.fullmatch(str(value)) else None  # type: ignore[arg-type]
    except ValueError:
        return None
