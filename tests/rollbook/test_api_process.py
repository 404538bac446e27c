"""The API process when the database goes, when there is too much to do, and when it is stopped."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from api.load import BODIES_A_TURN
from rollbook.migrate import migrate
from rollbook.settings import Settings
from tests.patience import PATIENCE_SECONDS, eventually
from tests.rollbook.api_process import BASE, api_process
from tests.servers import running_postgres, temporary_home

TOKEN = "0123456789abcdef"
PROGRAMS = f"{BASE}/programs"


def test_a_database_that_stops_and_starts_again_costs_no_restart(tmp_path: Path) -> None:
    with temporary_home() as home, ExitStack() as stack:
        with running_postgres(home) as url:
            migrate(Settings.from_environment({"DATABASE_URL": url}))
            api = stack.enter_context(api_process(tmp_path, url))
            api.wait_for(PROGRAMS)
        began = time.monotonic()
        answer = api.get(PROGRAMS)
        assert time.monotonic() - began < PATIENCE_SECONDS
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "1"
        assert api.get("/healthz").status_code == 200
        with running_postgres(home):
            api.wait_for(PROGRAMS)


def test_nobody_without_a_token_is_waited_for(tmp_path: Path, database_url: str) -> None:
    lines = [f"POST {PROGRAMS} HTTP/1.1", "Host: a", "Content-Length: 99", "", ""]
    with api_process(tmp_path, database_url, ROLLBOOK_API_THREADS="2") as api, ExitStack() as stack:
        for _ in range(12):
            # The body does not come.
            place = ("127.0.0.1", urlsplit(api.url).port)
            connection = stack.enter_context(socket.create_connection(place, PATIENCE_SECONDS))
            connection.sendall("\r\n".join(lines).encode())
            assert b" 401 " in connection.recv(65536)
        assert api.post(PROGRAMS, {"code": "SOON", "title": "Soon"}).status_code == 201


def test_who_is_slow_to_say_what_to_write_keeps_nobody_from_reading(
    tmp_path: Path, database_url: str
) -> None:
    body = json.dumps({"code": "LATE", "title": "Late"}).encode()
    with api_process(tmp_path, database_url, ROLLBOOK_API_THREADS="2") as api, ExitStack() as stack:
        api.wait_for(PROGRAMS)
        head = {"Host": "a", "Content-Length": len(body), "Content-Type": "application/json"}
        lines = [f"{name}: {value}" for name, value in {**head, **api.headers}.items()]
        asked = "\r\n".join([f"POST {PROGRAMS} HTTP/1.1", *lines, "", ""]).encode()
        slow = []
        for _ in range(12):
            place = ("127.0.0.1", urlsplit(api.url).port)
            slow.append(stack.enter_context(socket.create_connection(place, PATIENCE_SECONDS)))
            slow[-1].sendall(asked + body[:5])
        # In words of its own each, so that none is answered from memory.
        answers = [api.get(f"{PROGRAMS}?limit={number}") for number in range(1, 9)]
        assert {one.status_code for one in answers} == {200}
        waited_for = 2 * BODIES_A_TURN
        eventually(lambda: len(_answered(slow)) == len(slow) - waited_for)
        turned_away = _answered(slow)
        assert all(b" 503 " in one.recv(65536) for one in turned_away)
        kept = [one for one in slow if one not in turned_away]
        for one in kept:
            one.sendall(body[5:])
        told = b"".join(one.recv(65536) for one in kept)
        assert (told.count(b" 201 "), told.count(b" 409 ")) == (1, waited_for - 1)


def _answered(connections: list[socket.socket]) -> list[socket.socket]:
    """Those on which there is something to be read."""
    return select.select(connections, [], [], 0)[0]


STARTED_BY = (
    "import multiprocessing; multiprocessing.set_start_method({!r}); "
    "from rollbook.cli import main; main(['api'])"
)


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_worker_works_alike_however_it_is_started(
    tmp_path: Path, database_url: str, method: str
) -> None:
    command = ["-c", STARTED_BY.format(method)]
    told = tmp_path / "told"
    with (
        told.open("wb") as lines,
        api_process(tmp_path, database_url, command, lines, ROLLBOOK_METRICS_TOKEN=TOKEN) as api,
    ):
        api.wait_for(PROGRAMS)
        seen = {"Authorization": f"Bearer {TOKEN}"}
        assert "get_programs" in httpx.get(f"{api.url}/metrics", headers=seen).text
        api.ask_to_stop()
        assert api.process.wait(PATIENCE_SECONDS) == 0
    requests = [
        json.loads(line) for line in told.read_text().splitlines() if '"get_programs"' in line
    ]
    assert {(line["process"], line["event"]) for line in requests} == {("api", "request")}


def test_load_beyond_what_can_be_done_is_turned_away_and_not_queued(
    tmp_path: Path, database_url: str
) -> None:
    with (
        api_process(tmp_path, database_url, ROLLBOOK_API_THREADS="2") as api,
        ThreadPoolExecutor(16) as callers,
    ):
        api.wait_for(PROGRAMS)
        with locked_programs(database_url):
            answers = list(callers.map(lambda _: api.get(PROGRAMS), range(16)))
        codes = [answer.json()["code"] for answer in answers]
        assert {answer.status_code for answer in answers} == {503}
        assert "overloaded" in codes
        assert all(answer.headers["Retry-After"] == "1" for answer in answers)
        assert set(callers.map(lambda _: api.get(PROGRAMS).status_code, range(16))) == {200}


def test_who_is_being_answered_is_answered_before_it_stops(
    tmp_path: Path, database_url: str
) -> None:
    with api_process(tmp_path, database_url) as api, ThreadPoolExecutor(1) as callers:
        api.wait_for(PROGRAMS)
        with locked_programs(database_url) as conn:
            answer = callers.submit(api.get, PROGRAMS)
            wait_until_somebody_waits(conn)
            api.ask_to_stop()
        assert answer.result().status_code == 200
        assert api.process.wait(PATIENCE_SECONDS) == 0


@contextmanager
def locked_programs(database_url: str) -> Iterator[psycopg.Connection]:
    """Nobody can read programs meanwhile."""
    with psycopg.connect(database_url) as conn:
        # What was shown before is shown from memory, in a state that is asked of the progress.
        conn.execute("LOCK TABLE rollbook_read.program_listing, rollbook_read.progress")
        yield conn


WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_locks.database = pg_database.oid
WHERE NOT granted AND datname = current_database()
"""


def wait_until_somebody_waits(conn: psycopg.Connection) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while conn.execute(WAITING).fetchone() == (0,):
        assert time.monotonic() < deadline
        time.sleep(0.02)
