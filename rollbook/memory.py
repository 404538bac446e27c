"""How much memory there is for us: the machine's, or what its container may take."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux tells a container's limit: of control groups of version 2, and of version 1."""


def memory_bytes(limits: tuple[Path, ...] = LIMITS) -> int:
    """Return the least of what the machine has and of the `limits` that are there."""
    found = [int(psutil.virtual_memory().total)]
    for limit in limits:
        # Without a limit there is no file, or a word in it.
        with suppress(OSError, ValueError):
            found.append(int(limit.read_text()))
    return min(found)
