"""The connections to this process that it has sent nothing on for a while, as Linux knows them."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from socket import IPPROTO_TCP, SHUT_RD, socket

from api.own_sockets import descriptors, handle_of

# As in `linux/tcp.h`: the number of the option, and where `tcpi_last_data_sent` stands in it.
_TCP_INFO = 11
_LAST_SENT_MILLISECONDS = struct.Struct("=44xI")


@dataclass(frozen=True, slots=True)
class Connection:
    """One of them.

    Attributes:
        silent_seconds: how long ago something was sent on it or, if nothing was, it was accepted.

    """

    handle: socket
    silent_seconds: float

    def hear_no_more(self) -> None:
        """Let the server find that its client says nothing more; it can still be answered."""
        # Who is gone by now needs no cutting off.
        with suppress(OSError):
            self.handle.shutdown(SHUT_RD)


@contextmanager
def connections_from(address: str, port: int) -> Iterator[list[Connection]]:
    """Yield what this process has open between an IP `address` and its own `port`.

    Each stays what it is within, even if the server closes it meanwhile. Where the system does not
    tell, as others than Linux, there are none.
    """
    with ExitStack() as handles:
        yield list(_found(address, port, handles))


def _found(address: str, port: int, handles: ExitStack) -> Iterator[Connection]:
    # Several numbers may be one connection: those that were given to it here, too.
    known = set[int]()
    for number in descriptors():
        # Most are something else, and any may be closed just now.
        with suppress(OSError), handle_of(number) as handle:
            identity = os.fstat(handle.fileno()).st_ino
            if identity not in known and _is_between(handle, address, port):
                known.add(identity)
                silent_seconds = _silent_seconds(handle)
                kept = handles.enter_context(socket(fileno=handle.detach()))
                yield Connection(kept, silent_seconds)


def _is_between(handle: socket, address: str, port: int) -> bool:
    match handle.getpeername(), handle.getsockname():
        case (str(peer), _, *_), (_, int(own), *_):
            # Behind a % is the network that an address of that network alone was seen on.
            return own == port and peer.partition("%")[0] == address
    # A socket of another kind.
    return False


def _silent_seconds(handle: socket) -> float:
    told = handle.getsockopt(IPPROTO_TCP, _TCP_INFO, _LAST_SENT_MILLISECONDS.size)
    (milliseconds,) = _LAST_SENT_MILLISECONDS.unpack(told)
    return float(milliseconds) / 1000
