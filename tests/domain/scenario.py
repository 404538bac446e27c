"""Given what happened, when a decision is asked for, then these events follow, or this refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from domain.act import Act
from domain.aggregate import Aggregate, Event
from domain.errors import DomainError
from domain.provenance import Provenance

BY_HR = Provenance(actor="hr-1", role="hr_admin", correlation_id="request-1")
ACT = Act(BY_HR)
WITH_REASON = Act(BY_HR, reason="found in the files")
LONG_AGO = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
COMMON = {field.name for field in fields(Event)}

Kind = TypeVar("Kind", bound=Aggregate)


def import_on(moment: datetime) -> Act:
    """An act of the import, which gives times without having to say why."""
    return Act(Provenance(actor="import", role="import"), effective_at=moment)


@dataclass(frozen=True)
class Fact:
    """An event without what all events have: its class and its own facts."""

    event_class: type[Event]
    facts: dict[str, object]
    effective_at: datetime = LONG_AGO

    def at(self, moment: datetime) -> Fact:
        """The same fact, but it took effect at another moment."""
        return Fact(self.event_class, self.facts, moment)

    def event(self, stream_id: UUID, version: int) -> Event:
        """The event that it is in a stream."""
        common: dict[str, Any] = {
            "originator_id": stream_id,
            "originator_version": version,
            "timestamp": self.effective_at + timedelta(minutes=1),
            "effective_at": self.effective_at,
            "provenance": BY_HR,
            "reason": None,
        }
        return self.event_class(**common | self.facts)


def fact(event_class: type[Event], **facts: object) -> Fact:
    """A fact of this class."""
    return Fact(event_class, facts)


@dataclass(frozen=True)
class Given(Generic[Kind]):
    """An aggregate with a past."""

    kind: type[Kind]
    past: tuple[Fact, ...]
    stream_id: UUID = field(default_factory=uuid4)

    def when(self, decide: Callable[[Kind], object]) -> Outcome:
        """What comes of the decision."""
        aggregate = replayed(self.kind, self.stream_id, self.events())
        try:
            returned = decide(aggregate)
        except DomainError as error:
            return Outcome(recorded_by(aggregate), None, error)
        return Outcome(recorded_by(aggregate), returned, None)

    def events(self) -> list[Event]:
        """The past as the stream has it."""
        return [it.event(self.stream_id, number) for number, it in enumerate(self.past, start=1)]


def given(kind: type[Kind], *past: Fact, stream_id: UUID | None = None) -> Given[Kind]:
    """An aggregate of a kind, to which the `past` happened."""
    return Given(kind, past, stream_id or uuid4())


def replayed(kind: type[Kind], stream_id: UUID, events: Iterable[Event]) -> Kind:
    """The aggregate that the events make."""
    aggregate = kind.blank(stream_id)
    for event in events:
        event.mutate(aggregate)
    return aggregate


@dataclass(frozen=True)
class Outcome:
    """What came of a decision: events and an answer, or a refusal."""

    events: list[Event]
    returned: object
    error: DomainError | None

    def then(self, *expected: Fact) -> Outcome:
        """It was accepted, and exactly these facts were recorded, in this order."""
        assert self.error is None, self.error
        assert [(type(event), own_facts(event)) for event in self.events] == [
            (it.event_class, it.facts) for it in expected
        ]
        return self

    def then_returns(self, expected: object) -> Outcome:
        """It was accepted, with this answer."""
        assert self.error is None, self.error
        assert self.returned == expected
        return self

    def then_refused(self, error: type[DomainError], about: str | None = None) -> DomainError:
        """It was refused with exactly this class of error, and nothing was recorded."""
        assert type(self.error) is error, self.error or self.events
        assert self.error.field == about
        assert self.events == []
        return self.error


def recorded_by(aggregate: Aggregate) -> list[Event]:
    """What the aggregate recorded and nobody collected yet."""
    return [event for event in aggregate.collect_events() if isinstance(event, Event)]


def own_facts(event: Event) -> dict[str, object]:
    """What the event says besides what all events say."""
    return {name: value for name, value in vars(event).items() if name not in COMMON}
