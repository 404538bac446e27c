"""The API process and clients that are slow to say what they want."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from api.load import BODIES_A_TURN
from tests.patience import PATIENCE_SECONDS, eventually
from tests.rollbook.api_process import BASE, ApiProcess, api_process

PROGRAMS = f"{BASE}/programs"
BODY_SECONDS = 2
THREADS = 4
LENGTH = "Content-Length: 1000"
CHUNKED = "Transfer-Encoding: chunked"
EXPORT = f"{BASE}/employees?format=csv"
# With all their names, more than the system keeps on its way to a client.
EMPLOYEES = """
INSERT INTO rollbook.employees (id, name, active, version)
SELECT 'e' || n, repeat('Ann ', 250), true, 1 FROM generate_series(1, 20000) n
"""


@contextmanager
def impatient_api(home: Path, database_url: str) -> Iterator[ApiProcess]:
    """An API behind a proxy, or not, that does not wait long for bodies."""
    with api_process(
        home,
        database_url,
        ROLLBOOK_API_THREADS=str(THREADS),
        ROLLBOOK_CLIENT_SECONDS=str(BODY_SECONDS),
        ROLLBOOK_PROXIES="1",
    ) as api:
        api.wait_for(PROGRAMS)
        yield api


class Client:
    """A connection to the API, on which anything can be said."""

    def __init__(self, api: ApiProcess) -> None:
        self._authorization = f"Authorization: {api.headers['Authorization']}"
        self.connection = socket.socket()
        self.connection.settimeout(PATIENCE_SECONDS)
        # Little is on its way before it is taken.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.connection.connect(("127.0.0.1", urlsplit(api.url).port))

    def export(self) -> bytes:
        """Ask for all employees, and return the beginning of the answer."""
        lines = [f"GET {EXPORT} HTTP/1.1", "Host: a", self._authorization, "", ""]
        self.connection.sendall("\r\n".join(lines).encode())
        return self.connection.recv(15)

    def ask(self, *lines: str, body: bytes = b"") -> None:
        """Ask for a program to be made; send so much of it."""
        head = [f"POST {PROGRAMS} HTTP/1.1", "Host: a", "Content-Type: application/json"]
        text = "\r\n".join([*head, self._authorization, *lines, "", ""])
        self.connection.sendall(text.encode() + body)

    def answer(self) -> tuple[int, dict[str, Any], str | None]:
        """Status, body and `Connection` of the next answer."""
        with HTTPResponse(self.connection) as found:
            found.begin()
            return found.status, json.loads(found.read()), found.getheader("Connection")

    def create(self, code: str, padding: int = 0) -> int:
        """The status with which a program is made that is sent at once."""
        body = json.dumps({"code": code, "title": "Quick"}).encode() + b" " * padding
        self.ask(f"Content-Length: {len(body)}", body=body)
        return self.answer()[0]

    def is_cut_off(self) -> bool:
        """Whether nothing more is said to it."""
        try:
            return self.connection.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.connection.close()


def slow(api: ApiProcess, line: str, part: bytes) -> tuple[float, int, dict[str, Any], str | None]:
    """What a client gets that sends a part of its body now and then, and after how long."""
    with closing(Client(api)) as client:
        began, is_told = time.monotonic(), threading.Event()

        def drip() -> None:
            while not is_told.wait(0.1):
                try:
                    client.connection.sendall(part)
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        client.ask(line)
        dripping.start()
        try:
            told = client.answer()
            seconds = time.monotonic() - began
            assert client.is_cut_off()
        finally:
            is_told.set()
            dripping.join()
        return seconds, *told


def test_a_body_that_does_not_come_in_time_is_refused_and_nobody_else(
    tmp_path: Path, database_url: str
) -> None:
    ways = [(LENGTH, b""), (LENGTH, b"x"), (CHUNKED, b""), (CHUNKED, b"1\r\nx\r\n")]
    with (
        impatient_api(tmp_path, database_url) as api,
        ThreadPoolExecutor(THREADS * BODIES_A_TURN) as callers,
    ):
        # All places of bodies, twice: they come free again.
        for turn in range(2):
            clients = [callers.submit(slow, api, *way) for way in ways * BODIES_A_TURN]
            assert api.get(f"{PROGRAMS}?limit={turn + 1}").status_code == 200
            for client in clients:
                seconds, status, problem, connection = client.result()
                assert (status, problem["code"], connection) == (408, "body_too_slow", "close")
                assert BODY_SECONDS <= seconds < BODY_SECONDS * 10
            assert api.post(PROGRAMS, {"code": f"T{turn}", "title": "T"}).status_code == 201


def test_others_write_while_a_body_does_not_come(tmp_path: Path, database_url: str) -> None:
    with (
        impatient_api(tmp_path, database_url) as api,
        closing(Client(api)) as quick,
        ThreadPoolExecutor(1) as callers,
    ):
        late = callers.submit(slow, api, LENGTH, b"x")
        count = 0
        while not late.done():
            # On one connection, which is open for longer than a body may take.
            assert quick.create(f"Q{count}", padding=900_000 if count == 0 else 0) == 201
            count += 1
        assert late.result()[1] == 408
        time.sleep(BODY_SECONDS * 1.5)
        assert quick.create("LAST") == 201


def test_a_connection_on_which_all_went_well_before_is_cut_off_too(
    tmp_path: Path, database_url: str
) -> None:
    with impatient_api(tmp_path, database_url) as api, closing(Client(api)) as client:
        assert client.create("WELL") == 201
        client.ask(LENGTH, "Expect: 100-continue", "X-Forwarded-For: 192.0.2.1")
        assert client.connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.answer()[0] == 408
        assert client.is_cut_off()


def test_who_does_not_say_what_it_wants_is_cut_off(tmp_path: Path, database_url: str) -> None:
    with (
        impatient_api(tmp_path, database_url) as api,
        closing(Client(api)) as silent,
        closing(Client(api)) as slow_to_ask,
    ):
        slow_to_ask.connection.sendall(b"GET / HTTP/1.1\r\nHost:")
        assert silent.is_cut_off()
        assert slow_to_ask.is_cut_off()


def test_who_does_not_take_its_answer_is_given_up_and_others_are_answered(
    tmp_path: Path, database_url: str
) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute(EMPLOYEES)
    with impatient_api(tmp_path, database_url) as api, ExitStack() as stack:
        # Those that are taken make room for others, and so do those of who hangs up.
        for _ in range(THREADS + 1):
            with closing(Client(api)) as leaving:
                leaving.export()
            assert len(api.get(EXPORT).content.splitlines()) == 20_001
        for _ in range(THREADS):
            client = stack.enter_context(closing(Client(api)))
            assert client.export() == b"HTTP/1.1 200 OK"
        refused = api.get(EXPORT)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert api.get(f"{PROGRAMS}?limit=3").status_code == 200
        assert api.post(PROGRAMS, {"code": "TAKEN", "title": "T"}).status_code == 201
        # They are still there, and take nothing.
        eventually(lambda: api.get(EXPORT).status_code == 200)
