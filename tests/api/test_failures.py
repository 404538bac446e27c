"""When something goes wrong on our side: a problem in bounded time, and nothing of our insides."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from tests.api.world import BASE, Api
from tests.patience import PATIENCE_SECONDS
from tests.servers import Servers

BOUND_SECONDS = 12


@contextmanager
def unreachable(servers: Servers, url: str) -> Iterator[None]:
    """The database takes no connections, and has cut those there were."""
    name = str(conninfo_to_dict(url)["dbname"])
    allow = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(servers.maintenance_url, autocommit=True) as conn:
        conn.execute(allow.format(Identifier(name), SQL("false")))
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        try:
            yield
        finally:
            conn.execute(allow.format(Identifier(name), SQL("true")))


def test_a_database_that_is_gone_is_a_503_soon_and_comes_back_by_itself(
    empty_api: Api, servers: Servers
) -> None:
    api = empty_api
    program = api.published()
    body = {"code": "GONE", "title": "Gone"}
    with unreachable(servers, api.url):
        for method, path, sent in (
            ("GET", "programs", None),
            ("POST", "programs", body),
            ("PUT", "employees/gone", {}),
        ):
            began = time.monotonic()
            answer = api.admin.call(method, path, json=sent)
            assert time.monotonic() - began < BOUND_SECONDS
            assert (answer.status, answer.json["code"]) == (503, "unavailable")
            assert answer.headers["Retry-After"] == "1"
        assert api.admin.get("/healthz").status == 200
        assert api.admin.get("/readyz").status == 503
    deadline = time.monotonic() + PATIENCE_SECONDS
    while api.admin.get(f"programs/{program['id']}").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    while api.admin.get("/readyz").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert api.admin.post("programs", body).status == 201


def test_what_nobody_expected_is_logged_and_not_shown(
    empty_api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with empty_api.pool.connection() as conn:
        conn.execute("ALTER TABLE rollbook_read.program_listing RENAME COLUMN title TO heading")
    answer = empty_api.admin.get("programs", headers={"X-Request-Id": "lost-and-found"})
    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert answer.json["trace_id"] == "lost-and-found"
    for inside in ("psycopg", "r.title", "SELECT", "Traceback", "program_listing"):
        assert inside not in answer.data.decode()
    (record,) = [
        r for r in caplog.records if r.levelno == logging.ERROR and r.name == "api.failures"
    ]
    assert "lost-and-found" in record.getMessage()
    assert record.exc_info is not None


def test_a_database_without_our_tables_is_not_ready(empty_api: Api) -> None:
    ready = empty_api.admin.get("/readyz")
    assert (ready.status, ready.json["status"]) == (200, "ready")
    with empty_api.pool.connection() as conn:
        conn.execute("DROP SCHEMA rollbook_read CASCADE")
    assert empty_api.admin.get("/readyz").status == 503


def test_a_denied_request_leaves_a_line_in_the_log(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="api.access"):
        api.role("auditor").post("programs", {})
    assert "auditor-1 may not write programs" in caplog.text


def test_a_request_leaves_one_line_that_names_nobody(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="api.observing"):
        api.admin.get("employees/somebody-in-particular?nonsense=1")
    (line,) = [record for record in caplog.records if record.name == "api.observing"]
    told = vars(line)
    assert (told["method"], told["operation"], told["status"]) == ("GET", "get_employee", 422)
    assert told["milliseconds"] >= 0
    assert "somebody-in-particular" not in str(told)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Request-Id": "abc-123"}, "abc-123"),
        (
            {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
            "4bf92f3577b34da6a3ce929d0e0e4736",
        ),
        ({"X-Request-Id": "with blanks in it"}, None),
        ({"X-Request-Id": "x" * 129}, None),
        ({"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, None),
        ({}, None),
    ],
)
def test_a_request_keeps_its_well_formed_id_and_else_gets_one(
    api: Api, headers: dict[str, str], expected: str | None
) -> None:
    answer = api.admin.get("nowhere", headers=headers)
    chosen = answer.headers["X-Request-Id"]
    assert chosen == answer.json["trace_id"]
    if expected is not None:
        assert chosen == expected
    else:
        assert len(chosen) == 32
        assert chosen not in headers.values()


def test_no_answer_is_guessed_at_or_kept_for_others(api: Api) -> None:
    for path, kept in (("programs", "private, no-cache"), ("nowhere", "no-store")):
        headers = api.admin.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == kept


def test_the_page_of_the_documentation_asks_for_nothing_from_elsewhere(api: Api) -> None:
    answer = api.admin.get(f"{BASE}/docs")
    page = answer.data.decode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "http://" not in page
    assert "https://" not in page
    for _, path, _ in api.contract.operations():
        assert path in page


def test_the_description_is_openapi_3_1_and_every_operation_has_its_own_name(api: Api) -> None:
    document = api.contract.document
    assert document["openapi"] == "3.1.0"
    operations = list(api.contract.operations())
    assert len({operation["operationId"] for _, _, operation in operations}) == len(operations)
    assert all(operation["summary"] for _, _, operation in operations)
    for_anybody = {op["operationId"] for _, _, op in operations if not op.get("security")}
    assert for_anybody == {"healthz", "readyz", "get_checkpoint", "get_key"}
