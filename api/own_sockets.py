"""The sockets of this process, also those that the server holds and shows to nobody, on Linux."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from socket import socket

_DESCRIPTORS = Path("/proc/self/fd")


def descriptors() -> list[int]:
    """Return the numbers of all that the process has open; none where the system does not tell."""
    with suppress(OSError):
        return [int(one.name) for one in _DESCRIPTORS.iterdir()]
    return []


def handle_of(number: int) -> socket:
    """Return the socket of that number, under a number of our own; raises OSError for others."""
    own = os.dup(number)
    try:
        return socket(fileno=own)
    except OSError:
        os.close(own)
        raise
