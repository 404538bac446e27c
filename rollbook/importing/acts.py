"""The acts of imports: on a day of the past, by the import itself."""

from __future__ import annotations

from datetime import UTC, date, datetime

from domain.act import IMPORT_ROLE, Act
from domain.provenance import Provenance


class ImportActs:
    """Makes the acts of one kind of import."""

    def __init__(self, actor: str) -> None:
        """Let `actor` be who acted."""
        self._provenance = Provenance(actor=actor, role=IMPORT_ROLE)

    def on(self, day: date | None, reason: str | None = None) -> Act:
        """Return an act that took effect at 00:00 UTC of `day`, now where it is None."""
        effective_at = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
        return Act(self._provenance, reason, effective_at)
