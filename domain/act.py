"""An act: what one command says besides its facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from domain.errors import InvalidValueError, OutdatedError
from domain.program_details import limit_length

if TYPE_CHECKING:
    from collections.abc import Container

    from domain.aggregate import Event
    from domain.provenance import Provenance

MAX_REASON_LENGTH = 4_000

IMPORT_ROLE = "import"
"""The role of records taken over from another system: it backdates by its nature."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts, why, when it took effect, and on which version of what it is about.

    Attributes:
        provenance: who, in which role and request.
        reason: why, in words, or None.
        effective_at: when it happened in the world, or None for now.
        expected_versions: the versions that the actor is content to meet, 0 standing for
            what is not there yet; None for any. It says nothing about consequences.

    """

    provenance: Provenance
    reason: str | None = None
    effective_at: datetime | None = None
    expected_versions: Container[int] | None = None

    def __post_init__(self) -> None:
        """Refuse backdating without a reason, and a time without its zone; keep times in UTC."""
        limit_length("reason", self.reason, MAX_REASON_LENGTH)
        if self.effective_at is None:
            return
        if self.effective_at.tzinfo is None:
            raise InvalidValueError("effective_at", "must have a time zone")
        if not self._explains_backdating:
            raise InvalidValueError("reason", "is required when effective_at is given")
        object.__setattr__(self, "effective_at", _in_utc(self.effective_at))

    @property
    def _explains_backdating(self) -> bool:
        is_consequence = self.provenance.causation_id is not None
        return self._has_reason or is_consequence or self.provenance.role == IMPORT_ROLE

    @property
    def _has_reason(self) -> bool:
        return bool(self.reason and self.reason.strip())

    @property
    def effective_on(self) -> date:
        """The day it took effect, in UTC."""
        return (self.effective_at or datetime.now(UTC)).date()

    def require_reason(self) -> None:
        """Refuse with `InvalidValueError` when no reason was given."""
        if not self._has_reason:
            raise InvalidValueError("reason", "is required")

    def require_expected(self, version: int) -> None:
        """Refuse with `OutdatedError` when the actor does not expect to meet `version`."""
        if self.expected_versions is not None and version not in self.expected_versions:
            raise OutdatedError(version)

    def consequence(self, cause: Event) -> Act:
        """Return the act of what follows from `cause`, and took effect with it.

        The reason stays behind: it may concern another person than the one the
        consequence is about.
        """
        return Act(self.provenance.caused_by(cause.reference), effective_at=cause.effective_at)

    def not_before(self, earliest: datetime) -> Act:
        """Return the act as taking effect at `earliest`, where it would have sooner."""
        if self.effective_at is None or self.effective_at >= earliest:
            return self
        return replace(self, effective_at=earliest)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidValueError("effective_at", "must be within the years 1 to 9999") from None
