"""One business action: the aggregates it touches, saved together or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from domain.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from collections.abc import Set as AbstractSet
    from contextlib import ExitStack
    from uuid import UUID

    from domain.aggregate import Aggregate, Event
    from domain.loading import Loader
    from domain.log import Log
    from domain.stored_events import StoredEvents

    AnyAggregate = TypeVar("AnyAggregate", bound=Aggregate)
    Decided = TypeVar("Decided")


class Action:
    """Loads each aggregate once, and saves what all of them recorded in one transaction."""

    def __init__(
        self,
        log: Log,
        events: StoredEvents,
        loader: Loader,
        transaction: ExitStack,
        alone: AbstractSet[UUID],
    ) -> None:
        """Begin; `transaction` keeps the log's transaction open once a lock asks for one.

        The locks of the aggregates in `alone` are taken for this action alone, whoever asks.
        """
        self._log = log
        self._events = events
        self._loader = loader
        self._transaction = transaction
        self._in_transaction = False
        self._alone = alone
        self._is_refused = False
        self._aggregates: dict[UUID, Aggregate] = {}
        self._journal: list[Event] = []
        self._locked: dict[UUID, bool] = {}

    def load(self, kind: type[AnyAggregate], aggregate_id: UUID) -> AnyAggregate:
        """Return the aggregate as its events made it; a blank one when it has none."""
        known = self._aggregates.get(aggregate_id)
        if isinstance(known, kind):
            return known
        aggregate = self._loader.load(kind, aggregate_id)
        self._keep(aggregate)
        return aggregate

    def load_ahead(self, kind: type[AnyAggregate], aggregate_ids: Collection[UUID]) -> None:
        """Load the aggregates many at a time, to have them when they are asked for."""
        unknown = [it for it in dict.fromkeys(aggregate_ids) if it not in self._aggregates]
        for aggregate in self._loader.load_many(kind, unknown):
            self._keep(aggregate)

    def loaded(self, kind: type[AnyAggregate]) -> Iterator[AnyAggregate]:
        """Return the aggregates of this kind that the action has loaded so far."""
        return (it for it in self._aggregates.values() if isinstance(it, kind))

    def look_at(
        self, kind: type[AnyAggregate], aggregate_ids: Iterable[UUID]
    ) -> Iterator[AnyAggregate]:
        """Return the aggregates, read many at a time; what they record is not saved.

        Those that the action has loaded are as the action left them.
        """
        unknown = []
        for aggregate_id in aggregate_ids:
            known = self._aggregates.get(aggregate_id)
            if isinstance(known, kind):
                yield known
            else:
                unknown.append(aggregate_id)
        yield from self._loader.load_many(kind, unknown)

    def lock(self, aggregate: Aggregate, *, shared: bool) -> None:
        """Hold the aggregate's lock, and bring it up to what stands in the log under it.

        A lock that is held for itself alone covers a shared one. A shared one is
        never raised, since two who tried would wait for each other for ever: that
        raises `LockTooWeakError`, and the action is to be begun again with it alone.
        """
        shared = shared and aggregate.id not in self._alone
        held_as_shared = self._locked.get(aggregate.id)
        if held_as_shared is False or (held_as_shared and shared):
            return
        if held_as_shared:
            raise LockTooWeakError(aggregate.id)
        if not self._in_transaction:
            self._transaction.enter_context(self._log.transaction())
            self._in_transaction = True
        self._log.lock(aggregate.id, shared=shared)
        self._locked[aggregate.id] = shared
        self._loader.catch_up(aggregate)

    def part(self, decide: Callable[[Action], Decided]) -> Decided:
        """Return what `decide` does; when it raises, nothing of the action is ever saved."""
        try:
            return decide(self)
        except BaseException:
            self._is_refused = True
            raise

    def attempt(self, decide: Callable[[Action], Decided]) -> Decided | DomainError:
        """Return what `decide` does, or its refusal, of which nothing stays in the action."""
        recorded = len(self._journal)
        try:
            return decide(self)
        except DomainError as refusal:
            self._take_back(recorded)
            return refusal

    def save(self) -> int | None:
        """Store all that was recorded, in its order, and return the position of the last event.

        None when nothing was recorded.
        Raises `RefusedPartError` when a part was refused and its caller went on.
        """
        if self._is_refused:
            raise RefusedPartError
        if not self._journal:
            return None
        return max(recording.notification.id for recording in self._events.put(self._journal))

    def _keep(self, aggregate: Aggregate) -> None:
        aggregate.write_in(self._journal)
        self._aggregates[aggregate.id] = aggregate

    def _take_back(self, recorded: int) -> None:
        """Leave only the first `recorded` events in the journal, and aggregates as these say."""
        undone = {event.originator_id for event in self._journal[recorded:]}
        del self._journal[recorded:]
        for aggregate_id in undone:
            aggregate = self._loader.load(type(self._aggregates[aggregate_id]), aggregate_id)
            for event in self._journal:
                if event.originator_id == aggregate_id:
                    event.mutate(aggregate)
            self._keep(aggregate)


class LockTooWeakError(Exception):
    """A shared lock was taken where the action turned out to need it for itself."""

    def __init__(self, key: UUID) -> None:
        super().__init__(f"The lock of {key} is held shared and cannot be raised.")
        self.key = key


class RefusedPartError(Exception):
    """A command of an action was refused, so the others must not be saved without it."""

    def __init__(self) -> None:
        super().__init__("A refused command is part of the action, so none of it is saved.")
