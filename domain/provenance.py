"""Who did it, in which role, on whose behalf, and in which request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

PersonalText = Annotated[str, "personal"]
"""Free text that may concern a person; it is stored apart from the facts, and can be erased."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an event comes from.

    Attributes:
        actor: id of whoever gave the command.
        role: the role that permitted it.
        on_behalf_of: id of the person the actor acted for, or None.
        correlation_id: id shared by all that one request caused, or None.
        causation_id: `{stream id}/{version}` of the event that made this one necessary,
            or None when a person's command did.

    """

    actor: str
    role: str
    on_behalf_of: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None

    def caused_by(self, causation_id: str) -> Provenance:
        """Return the same provenance for a consequence of the event `causation_id`."""
        return replace(self, causation_id=causation_id)
