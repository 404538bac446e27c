"""Waiting for what will surely come.

Long, because a busy machine may be slow; nobody waits as long unless something is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep

PATIENCE_SECONDS = 120.0


def eventually(condition: Callable[[], bool]) -> None:
    """Return when the condition holds. Raises TimeoutError."""
    deadline = monotonic() + PATIENCE_SECONDS
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError("it did not come true")
        sleep(0.01)
