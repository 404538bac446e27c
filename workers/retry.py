"""Growing pauses between attempts that fail."""

from __future__ import annotations

from threading import Event as Signal

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


class Retry:
    """Pauses of one worker: short at first, and longer as long as nothing succeeds."""

    def __init__(self, stop: Signal) -> None:
        """Let `stop` end a pause at once."""
        self._stop = stop
        self.pause_seconds = FIRST_PAUSE_SECONDS

    def wait(self) -> None:
        """Pause; the next pause is twice as long, up to a limit."""
        self._stop.wait(self.pause_seconds)
        self.pause_seconds = min(self.pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def succeeded(self) -> None:
        """Begin with the shortest pause again."""
        self.pause_seconds = FIRST_PAUSE_SECONDS
