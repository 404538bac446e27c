"""What histories look like."""

from __future__ import annotations

from typing import Any

import msgspec
from marshmallow import fields

from api.shapes import Shape, given, nullable, part, word
from audit.changes import RESOURCES, Change
from audit.history import Step
from audit.words import sentence
from domain.permissions import Role
from eventlog.hints import personal_fields

UNREADABLE = "This version of Rollbook cannot read the event; it stands in the log as shown."


class ChangeShape(Shape):
    """A field of a resource, before and after the event."""

    resource = word(RESOURCES)
    key = given(fields.String, "The resource's id or number.")
    field = given(fields.String)
    before = nullable(fields.Raw, "Null where there was nothing.")
    after = nullable(fields.Raw, "Null where there is nothing.")


class StoredShape(Shape):
    """An event as it stands in the log."""

    topic = given(fields.String)
    state = given(fields.Raw, "The stored JSON. Text about people is in its part `sealed`.")


class EventShape(Shape):
    """One event: what happened, who did it, when, and what it changed."""

    position = given(fields.Integer, "Its place in the whole log.")
    stream_id = given(fields.UUID, "The enrollment, program or code that it belongs to.")
    version = given(fields.Integer, "Its place in the stream, from 1.")
    summary = given(fields.String, "What happened and who did it, in words.")
    effective_at = nullable(fields.DateTime, "When it happened in the world.")
    recorded_at = nullable(fields.DateTime, "When the log learned of it.")
    actor = nullable(fields.String, "Who did it.")
    role = nullable(fields.String, f"In which role: {', '.join(Role)}, or import.")
    on_behalf_of = nullable(fields.String)
    reason = nullable(fields.String)
    texts = given(
        fields.Dict,
        "What else was written about the person, as a note or a grade, by its name.",
        values=fields.String(),
    )
    correlation_id = nullable(fields.String, "Shared by all that one request caused.")
    causation_id = nullable(fields.String, "`stream_id/version` of the event that led to it.")
    changes = fields.List(fields.Nested(ChangeShape), required=True)
    stored = part(StoredShape)


class EventList(Shape):
    """A page of events."""

    items = fields.List(fields.Nested(EventShape), required=True)
    total = nullable(
        fields.Integer, "How many there are on all pages; null where they are not counted."
    )
    next = nullable(fields.String, "Path and query of the next page, null on the last.")


def person_of(step: Step) -> str | None:
    """Return whom the event is about."""
    employee_id: str | None = getattr(step.event, "employee_id", None)
    return employee_id


def event_json(step: Step) -> dict[str, object]:
    """Return the event as it is answered."""
    stored = step.stored
    return {
        "position": stored.id,
        "stream_id": stored.originator_id,
        "version": stored.originator_version,
        **_said(step.event),
        "changes": [_change_json(change) for change in step.changes],
        "stored": {"topic": stored.topic, "state": msgspec.Raw(stored.state)},
    }


def _said(event: Any) -> dict[str, object]:
    if event is None:
        return {"summary": UNREADABLE, "texts": {}, **dict.fromkeys(_PROVENANCE)}
    return {
        "summary": sentence(event),
        "effective_at": event.effective_at,
        "recorded_at": event.timestamp,
        "actor": event.provenance.actor,
        "role": event.provenance.role,
        "on_behalf_of": event.provenance.on_behalf_of,
        "reason": event.reason,
        "texts": texts_of(event),
        "correlation_id": event.provenance.correlation_id,
        "causation_id": event.provenance.causation_id,
    }


def texts_of(event: Any) -> dict[str, str]:
    """Return what the event says about a person in words besides the reason, by name."""
    if event is None:
        return {}
    texts = {name: getattr(event, name) for name in personal_fields(event.__class__)}
    return {name: text for name, text in texts.items() if text is not None and name != "reason"}


_PROVENANCE = (
    "effective_at",
    "recorded_at",
    "actor",
    "role",
    "on_behalf_of",
    "reason",
    "correlation_id",
    "causation_id",
)


def _change_json(change: Change) -> dict[str, object]:
    return {
        "resource": change.resource,
        "key": str(change.key),
        "field": change.field,
        "before": change.before,
        "after": change.after,
    }
