"""Keyed requests against API processes that are killed: one effect, and one answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from eventlog.pool import open_pool
from eventlog.recorder import PostgresRecorder
from rollbook.migrate import FACTS
from tests.eventlog.events import is_waiting_for_a_lock
from tests.patience import PATIENCE_SECONDS, eventually
from tests.rollbook.api_process import BASE, ApiProcess, api_process

CLIENTS = 24
AGAIN = {409, 429, 503}


class Client:
    """Sends keyed requests to the API that is running, over and over until there is an answer."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._answered = threading.Event()
        self.api: ApiProcess | None = None

    def post(self, path: str, body: dict[str, Any], key: str) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                answer = self._send(path, body, key)
                if answer.status_code not in AGAIN:
                    self._answered.set()
                    return answer
            time.sleep(0.1)
        raise AssertionError("There was never an answer")

    def _send(self, path: str, body: dict[str, Any], key: str) -> httpx.Response:
        assert self.api
        headers = self.api.headers | {"Idempotency-Key": key}
        return self._http.post(f"{self.api.url}{BASE}/{path}", json=body, headers=headers)

    def wait_for_an_answer(self) -> None:
        self._answered.clear()
        assert self._answered.wait(PATIENCE_SECONDS)


@contextmanager
def held(database_url: str, program_id: str) -> Iterator[Callable[[], bool]]:
    """Nobody gets into the program meanwhile; tells whether somebody waits for that."""
    with open_pool(database_url, 1) as pool, psycopg.connect(database_url, autocommit=True) as conn:
        recorder = PostgresRecorder(pool, facts=FACTS)
        with recorder.transaction():
            recorder.lock(UUID(program_id), shared=False)
            yield lambda: is_waiting_for_a_lock(conn)


@pytest.mark.timeout(300)
def test_a_keyed_request_is_done_once_however_often_the_api_is_killed(
    tmp_path: Path, database_url: str
) -> None:
    start = partial(api_process, tmp_path, database_url, ROLLBOOK_CALLER_REQUESTS="0")
    with (
        httpx.Client(
            limits=httpx.Limits(max_connections=CLIENTS), timeout=PATIENCE_SECONDS
        ) as http,
        ThreadPoolExecutor(CLIENTS) as clients,
    ):
        client = Client(http)
        with start() as client.api:
            http.put(f"{client.api.url}{BASE}/employees/ann", json={}, headers=client.api.headers)
            draft = {"code": "ONCE", "title": "Once", "capacity": 5}
            program = client.post("programs", draft, "draft").json()["id"]
            client.post(f"programs/{program}/publish", {}, "publish")
            with held(database_url, program) as is_waited_for:
                call = partial(client.post, "enrollments", body_of(program), "enroll")
                calls = [clients.submit(call) for _ in range(CLIENTS)]
                eventually(is_waited_for)
                # It is killed with the first one in its transaction.
                client.api.kill()
        with start() as client.api:
            # It is killed when one was answered and others were not.
            client.wait_for_an_answer()
            client.api.kill()
        with start() as client.api:
            answers = [call.result() for call in calls]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    for name in ("ETag", "Location", "Rollbook-Position", "Content-Type"):
        assert len({answer.headers[name] for answer in answers}) == 1
    with psycopg.connect(database_url) as conn:
        query = "select topic from rollbook.events order by position offset 3"
        topics = [topic for (topic,) in conn.execute(query).fetchall()]
    assert topics == [
        "program.enrollments_began.v1",
        "program.seat_taken.v1",
        "enrollment.enrolled.v1",
    ]


def body_of(program: str) -> dict[str, Any]:
    return {"program_id": program, "employee_id": "ann"}
