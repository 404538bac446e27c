"""From psycopg's errors to the library's, without SQL text in the messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg
import psycopg_pool
from eventsourcing import persistence

from eventlog.errors import (
    DeadlockError,
    FactConflictError,
    LockTimeoutError,
    VersionConflictError,
)
from eventlog.facts import Fact
from eventlog.names import VERSION_CONSTRAINT

# From the particular to the general: the first that fits is taken.
_KINDS: tuple[tuple[type[Exception], type[persistence.PersistenceError]], ...] = (
    (psycopg.errors.DeadlockDetected, DeadlockError),
    (psycopg.errors.LockNotAvailable, LockTimeoutError),
    (psycopg_pool.PoolTimeout, persistence.OperationalError),
    (psycopg.InterfaceError, persistence.InterfaceError),
    (psycopg.OperationalError, persistence.OperationalError),
    (psycopg.DataError, persistence.DataError),
    (psycopg.IntegrityError, persistence.IntegrityError),
    (psycopg.InternalError, persistence.InternalError),
    (psycopg.ProgrammingError, persistence.ProgrammingError),
    (psycopg.NotSupportedError, persistence.NotSupportedError),
    (psycopg.DatabaseError, persistence.DatabaseError),
)


def translated(error: psycopg.Error) -> persistence.PersistenceError:
    """The library's error for one of psycopg's; its message holds the server's main sentence."""
    kind = next(ours for theirs, ours in _KINDS if isinstance(error, theirs))
    sentence = error.diag.message_primary or "the database cannot be reached"
    return kind(f"{sentence} ({error.sqlstate or type(error).__name__})")


def conflict(
    error: psycopg.errors.UniqueViolation,
    facts: Mapping[str, Fact],
    events: Sequence[persistence.StoredEvent],
) -> persistence.IntegrityError:
    """What the violation of a unique index means for these events; ``facts`` by index name."""
    index = error.diag.constraint_name or ""
    if index == VERSION_CONSTRAINT:
        first, last = events[0].originator_version, events[-1].originator_version
        versions = f"version {first}" if first == last else f"versions {first} to {last}"
        return VersionConflictError(f"Stream {events[0].originator_id} has {versions} already")
    if fact := facts.get(index):
        return FactConflictError(fact.topic, fact.field)
    return persistence.IntegrityError(f"The events are refused by {index}")


@contextmanager
def translating() -> Iterator[None]:
    """Raises the library's errors in place of psycopg's."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(error) from error
