"""What is asked again is answered again before Flask does anything, and treated as any other."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import jwt
import pytest
from flask import request
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api import tokens, tracing
from api.policy import Policy
from eventlog.fetching import fetch
from eventlog.pool import Pool, open_pool
from projections import sight
from projections.names import TODAY
from projections.sight import Sight
from tests.api.test_kept_answers import alter_behind_the_back, percents
from tests.api.test_metrics import figures, watched
from tests.api.world import KEPT_BYTES, Api, Caller, token, unique

LONG_SECONDS = 0.3


@contextmanager
def whole_ways(api: Api) -> Iterator[list[str]]:
    """What is asked of Flask within."""
    asked: list[str] = []

    def note() -> None:
        asked.append(request.full_path)

    hooks = api.app.before_request_funcs[None]
    hooks.insert(0, note)
    try:
        yield asked
    finally:
        hooks.remove(note)


def keeping(api: Api, pool: Pool | None = None, caller_requests: int = 0) -> Api:
    """The API as one more process has it."""
    policy = Policy(kept_bytes=KEPT_BYTES, caller_requests=caller_requests)
    handed = replace(api.services, policy=policy, pool=pool or api.pool, sight=Sight())
    return Api(handed, api.url)


def test_it_does_not_go_the_whole_way(api: Api) -> None:
    first = api.admin.get("programs")
    with whole_ways(api) as whole:
        second = api.admin.get("programs")
    assert (second.status, second.data, whole) == (200, first.data, [])
    for name in ("ETag", "Cache-Control", "Content-Security-Policy", "Rollbook-Position", "Vary"):
        assert second.headers[name] == first.headers[name]
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]


def test_what_the_caller_has_is_told_so_again(api: Api) -> None:
    held = {"If-None-Match": api.admin.get("programs").headers["ETag"]}
    assert api.admin.get("programs", headers=held).status == 304
    with whole_ways(api) as whole:
        second = api.admin.get("programs", headers=held)
    assert (second.status, second.data, whole) == (304, b"", [])


def test_other_words_go_the_whole_way(api: Api) -> None:
    api.admin.get("programs")
    others: list[tuple[Caller, str, dict[str, str]]] = [
        (api.admin, "programs?limit=7", {}),
        (api.admin, "programs", {"Accept": "text/csv"}),
        (api.admin, "programs", {"Rollbook-At-Least": "x"}),
        (api.auditor, "programs", {}),
        (api.with_token(None), "programs", {}),
    ]
    with whole_ways(api) as whole:
        for caller, path, headers in others:
            caller.get(path, headers=headers)
    assert len(whole) == len(others)


def test_who_names_the_request_is_named_so_each_time(api: Api) -> None:
    for name in ("one", "two", "two"):
        answer = api.admin.get("programs", headers={"X-Request-Id": name})
        assert answer.headers["X-Request-Id"] == name


def test_a_token_that_has_ended_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = api.with_token(token("hr_admin", subject=unique("ending")))
    with whole_ways(api) as whole:
        assert [caller.get("programs").status for _ in range(2)] == [200, 200]
    assert len(whole) == 1
    monkeypatch.setattr(jwt, "decode", refuse)
    assert caller.get("programs").status == 200
    later = time.time() + tokens.REMEMBERED_SECONDS
    monkeypatch.setattr(tokens, "time", SimpleNamespace(time=lambda: later))
    assert caller.get("programs").status == 401


def refuse(*_: object, **__: object) -> None:
    raise jwt.ExpiredSignatureError


def test_another_day_is_another_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    last = api.enrolled(api.published()["id"], api.hire())
    path = f"enrollments/{last.json['id']}"
    first = api.admin.get(path, at_least=last)
    api.admin.get(path)
    alter_behind_the_back(api, last.json["id"])
    assert api.admin.get(path).json == first.json
    monkeypatch.setattr(
        sight, "fetch", lambda conn, query: fetch(conn, query.replace(TODAY, f"{TODAY} + 1"))
    )
    Sight.outlive()
    assert percents(api.admin.get(path)) == [99]


def test_each_is_counted_against_the_limit(api: Api) -> None:
    limit = 300
    one = keeping(api, caller_requests=limit)
    statuses = [one.admin.get("programs").status for _ in range(limit + 5)]
    assert statuses == [200] * limit + [429] * 5


def test_what_is_left_is_told(api: Api) -> None:
    one = keeping(api, caller_requests=300)
    left = []
    for _ in range(3):
        told = one.admin.get("programs").headers
        assert told["RateLimit-Policy"] == '"requests";q=300;w=60'
        left.append(int(told["RateLimit"].partition("r=")[2].partition(";")[0]))
    assert left == [299, 298, 297]


def test_each_is_measured_and_logged(empty_api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api = watched(empty_api)
    caplog.set_level(logging.INFO, "api.observing")
    for _ in range(3):
        api.admin.get("programs")
    lines = [one for one in caplog.records if one.message == "request"]
    assert [(one.operation, one.method, one.status) for one in lines] == [  # type: ignore[attr-defined]
        ("get_programs", "GET", 200)
    ] * 3
    found = figures(api)
    assert found["rollbook_requests_total", "get_programs", "200"] == 3
    assert found["rollbook_request_seconds_count", "get_programs"] == 3


def test_each_has_a_span_of_its_own(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    for _ in range(3):
        api.admin.get("programs")
    found = spans.get_finished_spans()
    assert [one.name for one in found] == ["get_programs"] * 3
    assert len({one.context.trace_id for one in found if one.context}) == 3
    told = [dict(one.attributes or {}) for one in found]
    assert told == [told[0]] * 3
    assert told[0]["http.response.status_code"] == 200


def test_when_the_database_is_gone_it_is_not_answered_from_memory(api: Api) -> None:
    with open_pool(api.url, 2) as pool:
        one = keeping(api, pool=pool)
        assert [one.admin.get("programs").status for _ in range(2)] == [200, 200]
    Sight.outlive()
    assert one.admin.get("programs").status == 503


def test_a_name_written_over_one_process_is_seen_over_the_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight, "SIGHT_SECONDS", LONG_SECONDS)
    other = keeping(api)
    last = api.enrolled(api.published()["id"], api.hire())
    path = f"enrollments/{last.json['id']}"
    other.admin.get(path, at_least=last)
    for name in ("Ute", "Uta"):
        other.admin.get(path)
        api.admin.put(f"employees/{last.json['employee_id']}", {"name": name})
        assert other.admin.get(path).json["employee_name"] == name


def test_who_waits_for_a_position_is_shown_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "SIGHT_SECONDS", LONG_SECONDS)
    last = api.enrolled(api.published()["id"], api.hire())
    path = f"enrollments/{last.json['id']}"
    for percent in (7, 8, 9):
        last = api.admin.post(f"{path}/progress", {"percent": percent})
        shown = api.admin.get(path, at_least=last)
        assert (shown.status, shown.json["percent"]) == (200, percent)
        assert int(shown.headers["Rollbook-Position"]) >= int(last.headers["Rollbook-Position"])
