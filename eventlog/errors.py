"""What can go wrong in the log, each a subclass of the library's error of the same kind.

Messages name ids and limits, never SQL: they may be logged or shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing.persistence import (
    IntegrityError,
    MapperDeserialisationError,
    NotSupportedError,
    OperationalError,
    RecordConflictError,
)

if TYPE_CHECKING:
    from eventlog.statements import LogRow


class UnknownTopicError(MapperDeserialisationError):
    """No event class has this topic."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"No event class has the topic {topic!r}")
        self.topic = topic


class UndecodableEventError(MapperDeserialisationError):
    """A stored event's state is not the stored form of its topic's event class."""

    def __init__(self, row: LogRow, cause: Exception) -> None:
        self.position, self.stream_id, self.version, self.topic, _ = row
        super().__init__(
            f"Cannot decode event at position {self.position}, stream {self.stream_id}, "
            f"version {self.version}, topic {self.topic!r}: {type(cause).__name__}: {cause}"
        )


class NoKeyError(Exception):
    """An event has text about a person whose key is not at hand, or was destroyed: not stored."""

    def __init__(self, person: str) -> None:
        super().__init__(f"There is no key to seal text about {person} with")
        self.person = person


class VersionConflictError(IntegrityError):
    """Another event stands at this version of the stream already."""


class FactConflictError(IntegrityError):
    """Another event states a fact that may be stated only once, such as a certificate's number."""

    def __init__(self, topic: str, field: str) -> None:
        super().__init__(f"Another {topic!r} event has the same {field}")
        self.topic = topic
        self.field = field


class LockTimeoutError(OperationalError):
    """A lock was not granted within the connection's lock_timeout; nothing was stored."""


class DeadlockError(OperationalError, RecordConflictError):
    """Two transactions waited for each other, and the database ended this one.

    Nothing was stored. It may be begun again: the other one goes on meanwhile.
    """


class OutcomeUnknownError(OperationalError):
    """The connection was lost while storing, and the database could not be asked what came of it.

    Storing the very same events again is safe: they are not stored twice.
    """

    def __init__(self) -> None:
        super().__init__("The connection was lost while storing, and the database does not answer")


class NotPrimaryError(NotSupportedError):
    """The log was asked for its order on a standby, which does not know the open transactions."""
