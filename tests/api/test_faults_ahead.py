"""What goes wrong, waits or is held up ahead of Flask costs and tells what it does elsewhere."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest
import structlog
from psycopg_pool import PoolTimeout

from api import program_reads, single_flight
from api.ahead import Ahead
from eventlog.fetching import fetch
from projections import sight
from projections.program_queries import find_program
from projections.recent_events import RecentEvents
from projections.sight import Sight
from tests.api.test_answered_ahead import forgetful
from tests.api.test_asked_again import keeping, whole_ways
from tests.api.world import Api
from tests.patience import PATIENCE_SECONDS, eventually

SLOW_SECONDS = 0.2
LONG_SECONDS = 20


class Looks:
    """Stands in the place of the question for a program, and counts how often it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.failure: Exception | None = None
        monkeypatch.setattr(program_reads, "find_program", self)

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.count += 1
        if self.failure is not None:
            raise self.failure
        return find_program(*args, **options)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(monkeypatch)


def shown_program(api: Api) -> str:
    """The path of a program that the tables show."""
    program = api.published()
    path = f"programs/{program['id']}"
    eventually(lambda: api.auditor.get(path).status == 200)
    return path


def test_what_nobody_expected_is_tried_once_logged_and_told(
    api: Api, looks: Looks, caplog: pytest.LogCaptureFixture
) -> None:
    path, one = shown_program(api), forgetful(api)
    assert one.admin.get(path).status == 200
    looks.count, looks.failure = 0, RuntimeError("what is inside")
    told = one.admin.get(path)
    assert (told.status, told.json["code"], looks.count) == (500, "internal_error", 1)
    assert b"inside" not in told.data
    [logged] = [record for record in caplog.records if record.exc_info]
    assert told.json["trace_id"] in logged.message


def test_who_has_no_request_left_asks_the_tables_for_nothing(api: Api, looks: Looks) -> None:
    path, one = shown_program(api), forgetful(api, caller_requests=2)
    assert [one.admin.get(path).status for _ in range(2)] == [200, 200]
    looks.count = 0
    assert [one.admin.get(path).status for _ in range(3)] == [429] * 3
    assert looks.count == 0


def test_what_is_held_up_is_asked_for_once_and_marked_each_time(
    empty_api: Api, looks: Looks
) -> None:
    path = shown_program(empty_api)
    program = path.rpartition("/")[2]
    for one in (forgetful(empty_api), keeping(empty_api)):
        one.admin.get(path)
        with empty_api.pool.connection() as conn:
            park = "INSERT INTO rollbook_read.parked (table_name, key, position) VALUES (%s, %s, 1)"
            conn.execute(park, ["program_listing", program])
        Sight.outlive()
        looks.count = 0
        for _ in range(3):
            held_up = one.admin.get(path)
            assert (held_up.status, held_up.headers["Rollbook-Held-Up"]) == (200, program)
        assert looks.count == 3
        with empty_api.pool.connection() as conn:
            conn.execute("DELETE FROM rollbook_read.parked")
        Sight.outlive()
        assert "Rollbook-Held-Up" not in one.admin.get(path).headers


def test_the_time_that_was_spent_ahead_is_part_of_what_is_measured(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "api.observing")
    path, one = shown_program(api), forgetful(api)

    def in_vain(*_: Any) -> None:
        sleep(SLOW_SECONDS)

    one.admin.get(path)
    monkeypatch.setattr(Ahead, "answer", in_vain)
    one.admin.get(path)
    line = [record for record in caplog.records if record.message == "request"][-1]
    assert line.milliseconds >= SLOW_SECONDS * 1000  # type: ignore[attr-defined]


def test_who_waits_for_a_position_does_not_wait_for_others(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, one = shown_program(api), keeping(api)
    shown = one.admin.get(path)
    shown_program(api)
    asked, may_go_on, answer = Event(), Event(), Ahead.answer

    def held(self: Ahead, *args: Any) -> Any:
        if not asked.is_set():
            asked.set()
            assert may_go_on.wait(PATIENCE_SECONDS)
        return answer(self, *args)

    monkeypatch.setattr(Ahead, "answer", held)
    monkeypatch.setattr(single_flight, "PATIENCE_SECONDS", LONG_SECONDS)
    monkeypatch.setattr(RecentEvents, "are_about", lambda *_, **__: True)
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(one.admin.get, path)
        asked.wait(PATIENCE_SECONDS)
        began = monotonic()
        assert one.admin.get(path, at_least=shown).status == 200
        assert monotonic() - began < LONG_SECONDS
        may_go_on.set()
        assert slow.result().status == 200


def test_where_no_connection_is_free_to_see_what_has_happened_the_tables_are_asked(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    employees = api.hire(), api.hire()
    last = api.enrolled(api.published()["id"], employees[0])
    path, one = f"enrollments/{last.json['id']}", keeping(api)
    one.admin.get(path, at_least=last)

    def in_vain(*_: Any, **__: Any) -> bool:
        raise PoolTimeout

    monkeypatch.setattr(RecentEvents, "are_about", in_vain)
    other = api.enrolled(last.json["program_id"], employees[1])
    assert api.auditor.get(path, at_least=other).status == 200
    with whole_ways(one) as whole:
        assert one.admin.get(path).status == 200
    assert whole == []


def test_what_takes_more_words_than_a_browser_has_is_not_remembered(api: Api) -> None:
    path, one = shown_program(api), keeping(api)
    many = {"Accept-Language": ", ".join(f"x-{number}" for number in range(2000))}
    with whole_ways(one) as whole:
        assert [one.admin.get(path, headers=many).status for _ in range(2)] == [200, 200]
    assert len(whole) == 2


def test_lines_that_are_logged_ahead_do_not_have_the_name_of_another_request(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, one = shown_program(api), forgetful(api)
    one.admin.get(path, headers={"X-Request-Id": "the-first"})
    bound: list[dict[str, Any]] = []

    def look(*args: Any) -> Any:
        bound.append(dict(structlog.contextvars.get_contextvars()))
        return fetch(*args)

    monkeypatch.setattr(sight, "fetch", look)
    Sight.outlive()
    assert one.admin.get(path, headers={"X-Request-Id": "the-second"}).status == 200
    assert bound
    assert all("the-first" not in one.values() for one in bound)


@pytest.mark.parametrize("kept_bytes", [0, 1 << 24])
def test_a_list_whose_rows_did_not_change_is_not_sent_to_whom_has_it(
    api: Api, kept_bytes: int
) -> None:
    last = api.enrolled(api.published()["id"], api.hire())
    path = f"enrollments?employee_id={last.json['employee_id']}"
    one = forgetful(api)
    one = Api(replace(one.services, policy=replace(one.services.policy, kept_bytes=kept_bytes)), "")
    first = one.admin.get(path, at_least=last)
    other = api.enrolled(api.published()["id"], api.hire())
    for _ in range(2):
        held = {"If-None-Match": first.headers["ETag"]}
        again = one.admin.get(path, at_least=other, headers=held)
        assert (again.status, again.data) == (304, b"")
        assert int(again.headers["Rollbook-Position"]) >= int(other.headers["Rollbook-Position"])
    moved = api.admin.post(f"enrollments/{last.json['id']}/progress", {"percent": 7})
    assert one.admin.get(path, at_least=moved, headers=held).status == 200
