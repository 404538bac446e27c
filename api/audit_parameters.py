"""By what events are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.enrollment_shapes import MAX_EMPLOYEE_ID_LENGTH
from api.fields import Body, Choice, Identifier, Moment, Text
from api.parameters import (
    ABSENT,
    DEFAULT_LIMIT,
    MAX_LIMIT,
    SeveralParameter,
    WholeParameter,
)
from domain.events import ALL_EVENTS, UPCASTS

MAX_POSITION = 10**18
MAX_WORD_LENGTH = 200

_TOPICS = (*(event.TOPIC for event in ALL_EVENTS), *UPCASTS)
_TYPE = {"description": "Topics, also such as are not written any more."}
_LIMIT = {
    "description": f"The most events, {DEFAULT_LIMIT} where nothing is said; as CSV or NDJSON all."
}
_CURSOR = {"description": "The position behind which to go on, taken from `next`."}


class HistoryParameters(Body):
    """Which events of a history are wanted. Times are from the first up to the second."""

    actor = Text(MAX_WORD_LENGTH, **ABSENT)
    type = SeveralParameter(_TOPICS, **ABSENT, metadata=_TYPE)
    effective_from = Moment(**ABSENT)
    effective_before = Moment(**ABSENT)
    recorded_from = Moment(**ABSENT)
    recorded_before = Moment(**ABSENT)
    limit = WholeParameter(1, MAX_LIMIT, **ABSENT, metadata=_LIMIT)
    cursor = WholeParameter(0, MAX_POSITION, **ABSENT, metadata=_CURSOR)
    format = Choice(
        ("json", "csv", "ndjson"),
        **ABSENT,
        metadata={"description": "How to write it down, whatever `Accept` says."},
    )


class EventParameters(HistoryParameters):
    """Which events of the whole log are wanted."""

    role = Text(MAX_WORD_LENGTH, **ABSENT)
    program_id = Identifier(**ABSENT)
    employee_id = Text(MAX_EMPLOYEE_ID_LENGTH, **ABSENT)
    correlation_id = Text(MAX_WORD_LENGTH, **ABSENT)
    sort = Choice(
        ("recorded_at", "-recorded_at", "effective_at", "-effective_at"),
        **ABSENT,
        metadata={"description": "The order; with `-` in front it is the newest first."},
    )


def wanted(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is asked of the events of any history, by the names of `Wanted`."""
    times = ("effective_from", "effective_before", "recorded_from", "recorded_before")
    return {
        "actor": parameters["actor"],
        "topics": parameters["type"],
        **{name: parameters[name] for name in times},
    }


def order(parameters: Mapping[str, Any]) -> str:
    """Return the order that is asked for: where none is, the newest first by the time asked for."""
    by_effect = parameters["effective_from"] or parameters["effective_before"]
    by_record = parameters["recorded_from"] or parameters["recorded_before"]
    newest = "-effective_at" if by_effect and not by_record else "-recorded_at"
    chosen: str = parameters["sort"] or newest
    return chosen


def searched(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else is asked of the events of the whole log."""
    names = ("role", "program_id", "employee_id", "correlation_id")
    return {name: parameters[name] for name in names}
