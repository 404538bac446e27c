"""Over real sockets: what a test client would never send, and many callers at once."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from werkzeug.serving import make_server

from api.policy import Policy
from eventlog.transaction import lock_number
from tests.api.world import BASE, Api, services_on, token
from tests.patience import PATIENCE_SECONDS, eventually


@contextmanager
def listening(api: Api) -> Iterator[tuple[str, int]]:
    """The API behind a real server; where it listens."""
    server = make_server("127.0.0.1", 0, api.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield "127.0.0.1", server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def calling(address: tuple[str, int], connections: int = 100) -> Iterator[httpx.Client]:
    """An HR administrator, who calls over so many connections at once."""
    host, port = address
    with httpx.Client(
        base_url=f"http://{host}:{port}{BASE}/",
        headers={"Authorization": f"Bearer {token('hr_admin')}"},
        timeout=PATIENCE_SECONDS,
        limits=httpx.Limits(max_connections=connections),
    ) as client:
        yield client


@pytest.fixture(scope="module")
def address(api: Api) -> Iterator[tuple[str, int]]:
    with listening(api) as found:
        yield found


@pytest.fixture
def http(address: tuple[str, int]) -> Iterator[httpx.Client]:
    with calling(address) as client:
        yield client


def test_a_command_and_its_read_over_the_wire(http: httpx.Client) -> None:
    created = http.post("programs", json={"code": "WIRE", "title": "\u00dcber den Draht"})
    assert created.status_code == 201
    at_least = {"Rollbook-At-Least": created.headers["Rollbook-Position"]}
    shown = http.get(f"programs/{created.json()['id']}", headers=at_least)
    assert (shown.status_code, shown.json()) == (200, created.json())
    assert shown.headers["Content-Type"] == "application/json"


def test_a_body_that_never_says_its_length_is_limited_too(http: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"code": "'
        for _ in range(64):
            yield b"x" * 65536
        yield b'", "title": "Endless"}'

    headers = {"Content-Type": "application/json"}
    answer = http.post("programs", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_strange_paths_and_parameters_are_problems(address: tuple[str, int]) -> None:
    for path in (
        "/programs?q=%ff%fe",
        "/programs?%00=1",
        "/programs/%ff",
        "/employees/%ff",
        "/employees/..%2f..",
        "/employees/a%2fb",
        "//programs",
        "/programs/",
        "/certificates/%0d%0aSet-Cookie:%20a=b",
    ):
        status, head, _ = raw(address, f"GET {BASE}{path} HTTP/1.1")
        assert 400 <= status < 500 or status == 200, path
        assert "set-cookie" not in head.lower()


def test_a_request_id_cannot_smuggle_a_header(address: tuple[str, int]) -> None:
    status, head, _ = raw(
        address, f"GET {BASE}/nowhere HTTP/1.1", "X-Request-Id: a\tb: c", "Evil: yes"
    )
    assert status == 404
    assert "evil" not in head.lower()


def raw(address: tuple[str, int], *lines: str) -> tuple[int, str, str]:
    """Status, head and body of the answer to these lines."""
    auth = f"Authorization: Bearer {token('hr_admin')}"
    text = "\r\n".join((*lines, "Host: here", auth, "Connection: close", "", ""))
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(text.encode())
        with connection.makefile("rb") as stream:
            head, _, body = stream.read().decode().partition("\r\n\r\n")
    return int(head.split()[1]), head, body


def test_many_race_for_a_few_seats_and_the_others_wait_in_order(api: Api) -> None:
    program = api.published(capacity=50)["id"]
    staff = [api.hire() for _ in range(200)]
    # As many at a time as a process of the real API; and nobody is turned away for a slow machine.
    policy = Policy(requests_at_a_time=8, patience_seconds=PATIENCE_SECONDS)
    patient = Api(replace(api.services, policy=policy), api.url)

    def enroll(employee: str) -> dict[str, str]:
        all_are_here.wait()
        body = {"program_id": program, "employee_id": employee}
        answer = http.post("enrollments", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    all_are_here = threading.Barrier(len(staff))
    with (
        listening(patient) as address,
        calling(address, len(staff)) as http,
        ThreadPoolExecutor(len(staff)) as callers,
    ):
        answers = list(callers.map(enroll, staff))
    assert Counter(it["status"] for it in answers) == {"enrolled": 50, "waitlisted": 150}
    line = [it for topic, it in log_of(api, program) if topic == "program.employee_waitlisted.v1"]
    told = [it for topic, it in log_of(api, program) if topic == "enrollment.waitlisted.v1"]
    assert line == told
    assert set(line) == {it["employee_id"] for it in answers if it["status"] == "waitlisted"}


def log_of(api: Api, program: str) -> list[tuple[str, str | None]]:
    """Topic and employee of each event of the program and of enrollments in it, in order."""
    query = (
        "select topic, state::jsonb ->> 'employee_id' from rollbook.events"
        " where stream_id::text = %s or state::jsonb ->> 'program_id' = %s order by position"
    )
    with api.pool.connection() as conn:
        return list(conn.execute(query, (program, program)).fetchall())


@pytest.mark.parametrize("ending", ["close", "archive", "delete"])
@pytest.mark.parametrize("capacity", [None, 3])
def test_no_enrollment_comes_behind_the_end_of_its_program(
    api: Api, http: httpx.Client, ending: str, capacity: int | None
) -> None:
    program = api.published(capacity=capacity)["id"]
    bodies = [{"program_id": program, "employee_id": api.hire()} for _ in range(6)]

    def end() -> int:
        if ending == "delete":
            return http.delete(f"programs/{program}").status_code
        closed = http.post(f"programs/{program}/close").status_code
        return closed if ending == "close" else http.post(f"programs/{program}/archive").status_code

    with ThreadPoolExecutor(7) as callers:
        early = [callers.submit(http.post, "enrollments", json=body) for body in bodies[:3]]
        ended = callers.submit(end)
        late = [callers.submit(http.post, "enrollments", json=body) for body in bodies[3:]]
        statuses = Counter(call.result().status_code for call in (*early, *late))
    assert ended.result() in {200, 204, 409}
    assert set(statuses) <= {201, 404, 409}
    enrolled = statuses[201]
    topics = [topic for topic, _ in log_of(api, program)]
    ends = {"program.closed.v1", "program.archived.v1", "program.deleted.v1"} & set(topics)
    first_end = min((topics.index(topic) for topic in ends), default=len(topics))
    began = [it.startswith("enrollment.") for it in topics]
    assert sum(began) == sum(began[:first_end]) == enrolled
    if ending == "delete":
        # One of them won: somebody is in it, or it is gone.
        assert bool(enrolled) != bool(ends)


WAITING = """
select count(*) from pg_locks
where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())
"""


@pytest.mark.parametrize("capacity", [None, 3])
@pytest.mark.parametrize(
    ("first", "enrollments", "statuses", "topics"),
    [
        ("delete", 3, [204, 404, 404, 404], ["program.deleted.v1"]),
        ("enroll", 1, [201, 409], ["enrollment.enrolled.v1"]),
    ],
)
def test_of_deleting_and_enrolling_the_first_to_come_wins(
    api: Api,
    first: str,
    enrollments: int,
    statuses: list[int],
    topics: list[str],
    capacity: int | None,
) -> None:
    program = api.published(capacity=capacity)["id"]
    staff = [api.hire() for _ in range(enrollments)]
    # The database's time limits are for those who wait in earnest.
    patient = make_conninfo(api.url, options="-c lock_timeout=100s -c statement_timeout=100s")
    with (
        services_on(patient) as own,
        listening(Api(own, patient)) as address,
        calling(address) as http,
        psycopg.connect(api.url, autocommit=True) as conn,
        ThreadPoolExecutor(1 + enrollments) as callers,
    ):

        def enroll(employee: str) -> httpx.Response:
            body = {"program_id": program, "employee_id": employee}
            return http.post("enrollments", json=body)

        calls = [partial(http.delete, f"programs/{program}"), *(partial(enroll, e) for e in staff)]
        # They come to the program's lock one after the other, and are let in as they came.
        with conn.transaction():
            conn.execute("select pg_advisory_xact_lock(%s)", [lock_number(UUID(program))])
            answers = []
            for call in calls if first == "delete" else reversed(calls):
                answers.append(callers.submit(call))
                eventually(lambda: conn.execute(WAITING).fetchone() == (len(answers),))
        assert [answer.result().status_code for answer in answers] == statuses
    ends = {"program.deleted.v1", "enrollment.enrolled.v1"}
    assert [topic for topic, _ in log_of(api, program) if topic in ends] == topics


def test_one_of_many_equal_requests_wins(api: Api, http: httpx.Client) -> None:
    program, employee = api.published()["id"], api.hire()
    body = {"program_id": program, "employee_id": employee}
    with ThreadPoolExecutor(8) as callers:
        calls = [callers.submit(http.post, "enrollments", json=body) for _ in range(16)]
        answers = [call.result() for call in calls]
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 15}
    (winner,) = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    losers = {a.json()["enrollment_id"] for a in answers if a.status_code == 409}
    assert losers == {winner}
