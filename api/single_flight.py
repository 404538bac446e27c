"""Who asks for what another is being told already is told the same, once it is known."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")

PATIENCE_SECONDS = 1.0
"""How long one waits for what another found out, before finding it out alone."""


class SingleFlight(Generic[Key, Result]):
    """Finds out things that many want to know at once, each of them once at a time."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._flights: dict[Key, Future[Result | None]] = {}

    def others(self, key: Key) -> Result | None:
        """Return what another finds out right now, None without any; waits for it."""
        flight = self._flights.get(key)
        if flight is None:
            return None
        try:
            return flight.result(PATIENCE_SECONDS)
        except TimeoutError:
            return None

    def find(self, key: Key, finding: Callable[[], Result | None]) -> Result | None:
        """Return what `finding` returns, and tell it all who wait for it. Raises as it does."""
        own: Future[Result | None] = Future()
        found: Result | None = None
        self._flights[key] = own
        try:
            found = finding()
            return found
        finally:
            own.set_result(found)
            # Another may have begun meanwhile, for which others wait then.
            if self._flights.get(key) is own:
                self._flights.pop(key, None)
