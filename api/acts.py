"""From a request to an act: who does it, in which role, why and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from api.access import caller
from api.conditions import expected_versions
from api.correlation import correlation_id
from api.fields import Body, Moment, Text
from domain.act import Act
from domain.permissions import Permission
from domain.provenance import Provenance

MAX_REASON_LENGTH = 4_000

WHY = {"description": "Why, in words. It is kept apart from the facts, so that it can be erased."}


class ActBody(Body):
    """What every command takes besides its own fields."""

    reason = Text(MAX_REASON_LENGTH, load_default=None, allow_none=True, metadata=WHY)
    effective_at = Moment(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "When it happened, if not now. For HR administrators, with a reason."
        },
    )


class ReasonedBody(ActBody):
    """What a command takes that is never done without a reason."""

    reason = Text(MAX_REASON_LENGTH, required=True, metadata=WHY)


def act_of(body: Mapping[str, Any]) -> Act:
    """Return the act that `body` asks for, in the caller's role that permits it.

    Backdating asks for the permission to correct. Raises a 400 or 403 problem,
    `InvalidValueError`.
    """
    effective_at = body.get("effective_at")
    acting = caller().acting(*([Permission.CORRECT] if effective_at else []))
    provenance = Provenance(
        actor=caller().identity.subject,
        role=acting.role.value,
        correlation_id=correlation_id(),
    )
    return Act(
        provenance,
        reason=body.get("reason"),
        effective_at=effective_at,
        # A path without an id names no resource that has a version.
        expected_versions=expected_versions() if request.view_args else None,
    )
