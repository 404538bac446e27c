"""What every event carries, and what every aggregate does with one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar, cast
from uuid import UUID

from eventsourcing.domain import BaseAggregate, CanMutateAggregate, DomainEvent

from domain.errors import InvalidValueError
from domain.provenance import PersonalText, Provenance

if TYPE_CHECKING:
    from domain.act import Act


class Event(CanMutateAggregate[UUID], DomainEvent):
    """One fact. `timestamp` is when the log learned of it (recorded at).

    `CONCERNS` names the field with the employee whom its personal text concerns: the text is
    sealed with that employee's key. The text of other events concerns nobody, and is not.

    Attributes:
        effective_at: when it happened in the world, never after it was recorded.
        provenance: who did it, and in which request.
        reason: why, in words, where a reason was given.

    """

    TOPIC: ClassVar[str]
    CONCERNS: ClassVar[str | None] = None

    effective_at: datetime
    provenance: Provenance
    reason: PersonalText | None

    def apply(self, aggregate: Aggregate) -> None:
        """Let the `aggregate` change its state as this event says."""
        aggregate.apply(self)

    @property
    def reference(self) -> str:
        """The event's name across the whole log: `{stream id}/{version}`."""
        return f"{self.originator_id}/{self.originator_version}"


Recorded = TypeVar("Recorded", bound=Event)

_TICK = timedelta(microseconds=1)


class Aggregate(BaseAggregate[UUID]):
    """A consistency boundary: decides by its own events alone.

    A blank aggregate has version 0 and no past. A subclass says in `begin` what
    that state is, decides in public methods, and assigns in `apply`.
    """

    HAS_SNAPSHOTS: ClassVar[bool] = False
    """Whether its stream may grow so long that snapshots of it are taken."""

    @classmethod
    def blank(cls, aggregate_id: UUID) -> Self:
        """Return the aggregate `aggregate_id` as it is before its first event."""
        aggregate = cls.__new__(cls)
        aggregate.__base_init__(aggregate_id, 0, datetime.min.replace(tzinfo=UTC))
        aggregate.write_in([])
        aggregate.begin()
        return aggregate

    def begin(self) -> None:
        """Set the state that a blank aggregate has."""
        raise NotImplementedError

    def apply(self, event: object) -> None:
        """Assign what `event` says. It runs on every replay: never a check, never a decision."""
        raise NotImplementedError

    def write_in(self, journal: list[Event]) -> None:
        """Add all that is recorded to `journal`.

        Aggregates that share one keep their events in the order of the decisions.
        """
        self._journal = journal

    @property
    def exists(self) -> bool:
        """Whether anything ever happened to it."""
        return self.version > 0

    def _record(self, event_class: type[Recorded], act: Act, **facts: object) -> Recorded:
        """Trigger one event of `event_class` with its own `facts`, and return it.

        A `reason` among the facts takes the place of the act's.
        """
        # Each version is recorded after the one before it, whatever the clocks of two machines say.
        now = max(datetime.now(UTC), self.modified_on + _TICK)
        common = {
            "effective_at": _effective_at(act, now),
            "provenance": act.provenance,
            "reason": act.reason,
        }
        self.trigger_event(event_class, timestamp=now, **{**common, **facts})
        recorded = cast("Recorded", self.pending_events[-1])
        self._journal.append(recorded)
        return recorded


def _effective_at(act: Act, now: datetime) -> datetime:
    if act.effective_at is None or act.effective_at <= now:
        return act.effective_at or now
    if act.provenance.causation_id is None:
        raise InvalidValueError("effective_at", "must not be in the future")
    # The cause was recorded by a clock that is ahead of this one.
    return now
