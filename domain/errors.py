"""The kinds of refusal a command can meet. Each aggregate's own errors stand beside it."""

from __future__ import annotations


class DomainError(Exception):
    """A command was refused, and nothing was recorded.

    Attributes:
        code: stable name of the error, in snake case, part of the public API.
        field: the input the refusal is about, or None when it is about the state.

    """

    code = "refused"
    field: str | None = None


class InvalidValueError(DomainError):
    """A value breaks a rule whatever the state is."""

    code = "invalid_value"

    def __init__(self, field: str, rule: str) -> None:
        """Name the `field` and the `rule` it breaks, as in "must be 0 to 100"."""
        super().__init__(f"{field} {rule}.")
        self.field = field
        self.rule = rule


class NotFoundError(DomainError):
    """What the command names does not exist."""

    code = "not_found"

    def __init__(self, kind: str, identifier: object) -> None:
        """Name the `kind` of thing and the `identifier` that was asked for."""
        super().__init__(f"There is no {kind} {identifier}.")
        self.kind = kind
        self.identifier = str(identifier)


class StateError(DomainError):
    """The rules refuse the command in the present state."""

    code = "conflict"


class OutdatedError(DomainError):
    """The command expects a version of what it is about that is not the present one."""

    code = "version_mismatch"

    def __init__(self, current_version: int) -> None:
        """Tell the present version, 0 for what is not there."""
        super().__init__(f"The present version is {current_version}, which is not an expected one.")
        self.current_version = current_version


class ContentionError(DomainError):
    """Others kept changing the same things; the command may be sent again."""

    code = "contention"

    def __init__(self, attempts: int) -> None:
        """Tell after how many `attempts` the command was given up."""
        super().__init__(
            f"Others changed the same things at the same time, {attempts} times over. Try again."
        )
        self.attempts = attempts
