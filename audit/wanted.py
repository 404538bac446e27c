"""Which events are wanted, asked of events themselves and of the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.history import Step
from projections.conditions import Conditions


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What events must meet; None asks for nothing. Times are from the first up to the second."""

    actor: str | None = None
    topics: Sequence[str] | None = None
    effective_from: datetime | None = None
    effective_before: datetime | None = None
    recorded_from: datetime | None = None
    recorded_before: datetime | None = None

    def wants(self, step: Step) -> bool:
        """Return whether the step is wanted. One that cannot be read always is: it may be."""
        event = step.event
        if event is None:
            return True
        return (
            self.actor in {None, event.provenance.actor}
            and (self.topics is None or step.stored.topic in self.topics)
            and _within(event.effective_at, self.effective_from, self.effective_before)
            and _within(event.timestamp, self.recorded_from, self.recorded_before)
        )

    @property
    def conditions(self) -> Conditions:
        """The same as SQL on the audit trail `t`."""
        conditions = Conditions()
        conditions.add_given("t.actor = %s", self.actor)
        conditions.add_given("t.topic = ANY(%s)", self.topics and list(self.topics))
        conditions.add_given("t.effective_at >= %s", self.effective_from)
        conditions.add_given("t.effective_at < %s", self.effective_before)
        conditions.add_given("t.recorded_at >= %s", self.recorded_from)
        conditions.add_given("t.recorded_at < %s", self.recorded_before)
        return conditions


@dataclass(frozen=True, kw_only=True)
class WantedOfAll(Wanted):
    """What events of the whole log must meet."""

    role: str | None = None
    program_id: UUID | None = None
    employee_id: str | None = None
    correlation_id: str | None = None

    @property
    def conditions(self) -> Conditions:
        """All of it as SQL on the audit trail `t`."""
        conditions = super().conditions
        conditions.add_given("t.role = %s", self.role)
        conditions.add_given("t.program_id = %s", self.program_id)
        conditions.add_given("t.employee_id = %s", self.employee_id)
        conditions.add_given("t.correlation_id = %s", self.correlation_id)
        return conditions


def _within(moment: datetime, first: datetime | None, before: datetime | None) -> bool:
    return (first is None or first <= moment) and (before is None or moment < before)
