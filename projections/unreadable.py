"""Stored events that cannot be decoded."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from eventlog.statements import LogRow


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands for such an event: nothing is known of it but the row that it stands in."""

    row: LogRow
    error: Exception

    @property
    def originator_id(self) -> UUID:
        """Its stream."""
        return self.row[1]
