"""Answers that their client does not take are given up after a while.

The server waits in the thread that streams an answer until there is room for more of it, however
long that takes. So the system is told to give up such a connection (`TCP_USER_TIMEOUT`, tcp(7)):
what is sent then fails, and the thread goes on.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache

from api.own_sockets import descriptors, handle_of

_MILLISECONDS = 1000
_GIVEN_UP_AFTER: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)


@cache
def give_up_unread(seconds: float) -> None:
    """Let every connection to this process end when its client takes nothing for so long.

    Those that are open are told now, and those to come take it over from the socket that listens.
    Where the system cannot do it, as others than Linux, nothing is limited.
    """
    milliseconds = round(seconds * _MILLISECONDS)
    with _served_sockets() as served:
        for one in served:
            # Any may have ended just now.
            with suppress(OSError):
                one.setsockopt(socket.IPPROTO_TCP, _GIVEN_UP_AFTER or 0, milliseconds)


@contextmanager
def _served_sockets() -> Iterator[list[socket.socket]]:
    """Yield the sockets that listen, and those of the connections to them."""
    with ExitStack() as handles:
        found = [] if _GIVEN_UP_AFTER is None else [*_internet_sockets(handles)]
        ports = {port for port, listens, _ in found if listens}
        yield [one for port, _, one in found if port in ports]


def _internet_sockets(handles: ExitStack) -> Iterator[tuple[int, bool, socket.socket]]:
    """Yield each with its own port, and whether it listens."""
    for number in descriptors():
        with suppress(OSError):
            one = handles.enter_context(handle_of(number))
            if one.family in {socket.AF_INET, socket.AF_INET6} and one.type == socket.SOCK_STREAM:
                listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                yield one.getsockname()[1], bool(listens), one
