"""Traces, as real processes send them to a collector."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from rollbook.telemetry import NothingToSendTracesWith, exporter_class
from tests.patience import PATIENCE_SECONDS
from tests.rollbook.api_process import BASE, ApiProcess, api_process
from tests.rollbook.collector import collector

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
PROGRAMS = f"{BASE}/programs"
NO_REDIS = "redis://127.0.0.1:1/0"
# Nothing is sent before the end but by the end itself.
ONLY_AT_THE_END = {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}


def test_a_trace_leads_from_the_caller_over_the_command_and_its_events_to_the_read_tables(
    tmp_path: Path, database_url: str
) -> None:
    with collector() as taking:
        traced: Any = {"OTEL_EXPORTER_OTLP_ENDPOINT": taking.url, **ONLY_AT_THE_END}
        with (
            projector(database_url, tmp_path, **traced) as projecting,
            api_process(tmp_path, database_url, **traced) as api,
        ):
            created = post(api, {"code": "P", "title": "Told-to-nobody"})
            assert created.status_code == 201
            position = created.headers["Rollbook-Position"]
            api.headers |= {"Rollbook-At-Least": position}
            api.wait_for(f"{PROGRAMS}?q=Told-to-nobody")
            refused = post(api, {}, **{"X-Request-Id": "mine"})
            malformed = post(api, {}, traceparent=f"00-{TRACE}-{'0' * 16}-01")
            for process in (api.process, projecting):
                process.terminate()
                assert process.wait(PATIENCE_SECONDS) == 0
    assert (refused.status_code, refused.json()["trace_id"]) == (422, TRACE)
    assert refused.headers["X-Request-Id"] == "mine"
    request, joined, alone = taking.of("rollbook-api", "create_program")
    assert (joined.trace_id, joined.parent_id) == (TRACE, CALLER)
    assert (alone.trace_id, alone.parent_id) == (malformed.json()["trace_id"], "")
    assert alone.trace_id != TRACE
    assert joined.attributes["rollbook.correlation_id"] == "mine"
    # Those who watch over it come all the time, and leave nothing behind.
    assert taking.of("rollbook-api", "healthz") == []
    assert (request.trace_id, request.parent_id) == (TRACE, CALLER)
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": PROGRAMS,
        "http.response.status_code": 201,
    }
    command, *_ = taking.of("rollbook-api", "command create_program")
    assert (command.trace_id, command.parent_id) == (TRACE, request.span_id)
    assert command.attributes == {"rollbook.position": int(position)}
    assert correlation_ids(database_url) == {f"00-{TRACE}-{request.span_id}-01"}
    (batch,) = taking.of("rollbook-projector", "project")
    assert batch.links == [(TRACE, request.span_id)]
    assert batch.trace_id != TRACE
    assert batch.attributes["rollbook.last_position"] == int(position)
    assert "program_listing" in batch.attributes["rollbook.tables"]
    assert "Told-to-nobody" not in str(taking.spans)


def test_what_sends_traces_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(NothingToSendTracesWith, match=r"rollbook\[telemetry\]"):
        exporter_class("otlp")


def post(api: ApiProcess, body: dict[str, str], **headers: str) -> httpx.Response:
    """A new program, asked for within the trace of a caller."""
    sent = api.headers | {"traceparent": f"00-{TRACE}-{CALLER}-01"} | headers
    return httpx.post(api.url + PROGRAMS, json=body, headers=sent, timeout=PATIENCE_SECONDS)


@contextmanager
def projector(database_url: str, home: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    given = {"ROLLBOOK_HOME": str(home), "DATABASE_URL": database_url, "REDIS_URL": NO_REDIS}
    process = subprocess.Popen(
        [sys.executable, "-m", "rollbook", "projector"], env=os.environ | given | settings
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def correlation_ids(database_url: str) -> set[str]:
    """Those of all events in the log."""
    with psycopg.connect(database_url) as conn:
        events = conn.execute("SELECT state FROM rollbook.events")
        return {event["provenance"]["correlation_id"] for (event,) in events}
