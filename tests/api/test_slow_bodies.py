"""Who cuts off slow bodies, and finds the connections to cut off."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from threading import Event, Thread
from threading import enumerate as threads
from time import monotonic, sleep
from typing import Any

import pytest

from api import slow_bodies
from api.problems import ProblemError
from api.silent_connections import Connection, connections_from
from api.slow_bodies import SlowBodies, told_apart
from tests.patience import PATIENCE_SECONDS, eventually

SECONDS = 0.4
HERE = "127.0.0.1"


class Server:
    """What a server has: a place to listen, and connections that somebody made to it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._listening = stack.enter_context(socket.create_server((HERE, 0)))
        self.port: int = self._listening.getsockname()[1]

    def accept(self) -> tuple[socket.socket, socket.socket]:
        """A new connection: its end here, and the client's."""
        client = self._stack.enter_context(socket.create_connection((HERE, self.port)))
        accepted, _ = self._listening.accept()
        own = self._stack.enter_context(accepted)
        own.settimeout(PATIENCE_SECONDS)
        return own, client

    def environ(self, **more: Any) -> dict[str, Any]:
        return {"REMOTE_ADDR": HERE, "SERVER_PORT": str(self.port), **more}


@pytest.fixture
def server() -> Iterator[Server]:
    with ExitStack() as stack:
        yield Server(stack)


def silent_for(server: Server) -> list[float]:
    with connections_from(HERE, server.port) as found:
        return [one.silent_seconds for one in found]


def is_open(own: socket.socket) -> bool:
    """Whether something may still be heard on it."""
    own.settimeout(0.05)
    try:
        return own.recv(1) != b""
    except TimeoutError:
        return True


def read_late(bodies: SlowBodies, environ: dict[str, Any], own: socket.socket) -> bytes:
    """What came of a body of which nothing comes by itself: its reading ends as it is cut off."""
    with pytest.raises(ProblemError) as refused, bodies.awaited(environ):
        came = own.recv(1)
    assert refused.value.problem.status == HTTPStatus.REQUEST_TIMEOUT
    return came


def test_connections_are_found_by_address_and_port(server: Server) -> None:
    assert silent_for(server) == []
    for _ in range(3):
        server.accept()
    assert len(silent_for(server)) == 3
    # It looks through numbers of its own, which are others' by then.
    assert len(silent_for(server)) == 3
    for address, port in ((HERE, server.port + 1), ("127.0.0.2", server.port), ("", server.port)):
        with connections_from(address, port) as found:
            assert found == []


def test_a_connection_is_silent_since_something_was_sent_on_it(server: Server) -> None:
    own, client = server.accept()
    sleep(0.3)
    client.sendall(b"what it hears is nothing that it says")
    (silent,) = silent_for(server)
    assert silent >= 0.25
    own.sendall(b"a")
    (since,) = silent_for(server)
    assert since < silent


def test_a_body_that_does_not_come_is_cut_off(server: Server) -> None:
    own, client = server.accept()
    began = monotonic()
    assert read_late(SlowBodies(SECONDS), server.environ(), own) == b""
    assert monotonic() - began >= SECONDS
    # It is told so.
    own.sendall(b"408")
    assert client.recv(3) == b"408"


def test_it_is_found_by_who_is_on_the_connection_and_not_by_what_a_proxy_says(
    server: Server,
) -> None:
    own, _ = server.accept()
    came = {"REMOTE_ADDR": HERE}
    environ = server.environ(REMOTE_ADDR="192.0.2.1") | {"werkzeug.proxy_fix.orig": came}
    assert read_late(SlowBodies(SECONDS), environ, own) == b""


def test_several_are_cut_off_one_after_the_other(server: Server) -> None:
    bodies = SlowBodies(SECONDS)
    for _ in range(2):
        own, _ = server.accept()
        assert read_late(bodies, server.environ(), own) == b""
        own.close()
        # Nobody watches any longer by then, or somebody still does.
        sleep(SECONDS * 3)


def test_a_body_that_came_in_time_is_not_cut_off_afterwards(server: Server) -> None:
    own, client = server.accept()
    bodies = SlowBodies(SECONDS)
    client.sendall(b"a")
    with bodies.awaited(server.environ()):
        assert own.recv(1) == b"a"
    # The next request may be under way.
    sleep(SECONDS * 3)
    assert is_open(own)


def test_a_body_that_came_late_is_refused_all_the_same() -> None:
    with (
        pytest.raises(ProblemError, match="in time"),
        SlowBodies(0.0).awaited({"REMOTE_ADDR": HERE, "SERVER_PORT": "1"}),
    ):
        pass


def test_what_is_done_meanwhile_on_another_connection_is_not_cut_off(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_bodies, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(slow_bodies, "_LEEWAY_SECONDS", 0.1)
    slow, _ = server.accept()
    working, _ = server.accept()
    bodies, ended = SlowBodies(SECONDS), Event()

    def read() -> None:
        read_late(bodies, server.environ(), slow)
        ended.set()

    thread = Thread(target=read)
    thread.start()
    assert not ended.wait(SECONDS * 3)
    # The other is answered: now it is sure who it is that is slow.
    working.sendall(b"a")
    thread.join(PATIENCE_SECONDS)
    assert ended.is_set()
    assert is_open(working)
    assert not is_open(slow)


def test_nobody_is_cut_off_once_the_body_is_there(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, client = server.accept()
    looks, goes_on = Event(), Event()

    def wait_and_tell(*told: Any) -> list[Connection]:
        looks.set()
        assert goes_on.wait(PATIENCE_SECONDS)
        return told_apart(*told)

    monkeypatch.setattr(slow_bodies, "told_apart", wait_and_tell)
    bodies, ended = SlowBodies(SECONDS), Event()

    def read() -> None:
        with pytest.raises(ProblemError), bodies.awaited(server.environ()):
            own.recv(1)
        ended.set()

    thread = Thread(target=read)
    thread.start()
    assert looks.wait(PATIENCE_SECONDS)
    # The body comes just as it is about to be cut off: its end waits until that is done.
    client.sendall(b"a")
    assert not ended.wait(0.2)
    goes_on.set()
    thread.join(PATIENCE_SECONDS)
    assert ended.is_set()


def test_the_watch_is_kept_while_bodies_come_and_then_no_longer(server: Server) -> None:
    others = threads()

    def watching() -> list[Thread]:
        return [one for one in threads() if one.name == "slow bodies" and one not in others]

    bodies = SlowBodies(SECONDS)
    for _ in range(3):
        with bodies.awaited(server.environ()):
            pass
    assert len(watching()) == 1
    eventually(lambda: not watching())


@pytest.mark.parametrize(
    ("silent", "ages", "cut_off"),
    [
        ([70.0], [60.0], [70.0]),
        # Answered, or told something, meanwhile.
        ([70.0, 58.0, 1.0], [60.0], [70.0]),
        # One of these two is asked something else that takes its time.
        ([70.0, 65.0], [60.0], []),
        ([70.0, 65.0], [62.0, 60.0], [70.0, 65.0]),
        # The oldest is known, the other one not yet.
        ([90.0, 65.0, 63.0], [80.0, 60.0], [90.0]),
        # Told `100 Continue`.
        ([59.5], [60.0], [59.5]),
        # By now all else would be answered.
        ([190.0, 185.0, 100.0], [180.0], [190.0, 185.0]),
        ([190.0, 185.0, 100.0], [180.0, 60.0], [190.0, 185.0]),
        ([], [60.0], []),
    ],
)
def test_slow_bodies_are_told_apart_by_for_how_long_nothing_was_sent(
    silent: list[float], ages: list[float], cut_off: list[float]
) -> None:
    with socket.socket() as none:
        connections = [Connection(none, seconds) for seconds in silent]
        found = told_apart(connections, ages, certain_seconds=180.0)
    assert [one.silent_seconds for one in found] == cut_off
