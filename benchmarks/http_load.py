"""Many keep-alive connections driven by one process: a client that costs next to nothing.

Each connection has one request under way; the next follows its answer. One that is turned away
because the server has too much to do is sent again, and that takes its time too.
"""

from __future__ import annotations

import re
import selectors
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import inf
from time import perf_counter, process_time

Address = tuple[str, int]

_CHUNK = 1 << 18
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"
_SUCCESS, _TOO_MUCH = b"HTTP/1.1 2", b"HTTP/1.1 503"
_TIMEOUT_SECONDS = 30.0


class UnexpectedAnswerError(Exception):
    """An answer that was no success, so that its speed says nothing."""


@dataclass(frozen=True)
class Run:
    """What a run of requests came to.

    Attributes:
        rate: answers per second.
        seconds: how long each request took.
        bodies: what was answered.
        client_share: the part of a core that this client took.

    """

    rate: float
    seconds: list[float]
    bodies: list[bytes]
    client_share: float


def request(method: str, path: str, address: Address, token: str, body: bytes = b"") -> bytes:
    """Return the bytes of a request with a bearer token; a body is JSON."""
    head = [
        f"{method} {path} HTTP/1.1",
        f"Host: {address[0]}:{address[1]}",
        f"Authorization: Bearer {token}",
        "Accept: application/json",
    ]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


def drive(
    address: Address, requests: Iterable[bytes], connections: int, seconds: float = inf
) -> Run:
    """Send the requests, for so many seconds at most, over so many connections.

    Raises `UnexpectedAnswerError` for any answer but a success.
    """
    waiting: Iterator[bytes] = iter(requests)
    lines = [_Line(address) for _ in range(connections)]
    times, bodies = list[float](), list[bytes]()
    with selectors.EpollSelector() as selector:
        began, worked = perf_counter(), process_time()
        busy = 0
        for line, first in zip(lines, islice(waiting, connections), strict=False):
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.send(first)
            busy += 1
        while busy:
            ready = selector.select(_TIMEOUT_SECONDS)
            if not ready:
                raise TimeoutError(f"No answer within {_TIMEOUT_SECONDS:g} seconds")
            for key, _ in ready:
                line = key.data
                body = line.receive()
                if body is None:
                    continue
                times.append(perf_counter() - line.sent_at)
                bodies.append(body)
                following = next(waiting, None) if perf_counter() - began < seconds else None
                if following is None:
                    busy -= 1
                else:
                    line.send(following)
        took = perf_counter() - began
    for line in lines:
        line.socket.close()
    return Run(len(times) / took, times, bodies, (process_time() - worked) / took)


class _Line:
    """One connection."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, _TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self._wanted = b""
        self._received = bytearray()

    def send(self, wanted: bytes) -> None:
        self.sent_at = perf_counter()
        self._wanted = wanted
        self._send()

    def _send(self) -> None:
        self._received.clear()
        self.socket.sendall(self._wanted)

    def receive(self) -> bytes | None:
        """Return the body, or None while it is not all there."""
        chunk = self.socket.recv(_CHUNK)
        if not chunk:
            raise UnexpectedAnswerError("The server closed the connection.")
        self._received += chunk
        end = self._received.find(_HEAD_END)
        if end < 0:
            return None
        length = _LENGTH.search(self._received, 0, end + 2)
        begin = end + len(_HEAD_END)
        if length is not None and len(self._received) - begin < int(length[1]):
            return None
        if self._received.startswith(_TOO_MUCH):
            self._send()
            return None
        if length is None or not self._received.startswith(_SUCCESS):
            raise UnexpectedAnswerError(self._received.decode(errors="replace"))
        return bytes(self._received[begin:])
