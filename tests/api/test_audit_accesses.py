"""Whoever looks at audit data is logged: who, at whom, when and in which request."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from api import lists
from domain.permissions import Permission
from tests.api.operations import operations
from tests.api.world import BASE, Answer, Api, token


@pytest.fixture(scope="module")
def watched(api: Api) -> Answer:
    """The enrollment of somebody at whose data is looked."""
    return api.enrolled(api.published()["id"], api.hire())


def accesses(api: Api, query: str = "") -> list[Any]:
    """What was logged before this look."""
    answer = api.auditor.get(f"audit/accesses?{query}")
    assert answer.status == 200, answer.data
    items: list[Any] = answer.json["items"]
    return items


def test_a_look_is_logged_with_reader_subject_query_and_request(api: Api, watched: Answer) -> None:
    reader = api.with_token(token("auditor", subject="auditor-7"))
    path = f"audit/enrollments/{watched.json['id']}?limit=3"
    assert reader.get(path, headers={"X-Request-Id": "looking"}).status == 200
    [access] = accesses(api, "reader=auditor-7")
    assert access.pop("accessed_at")
    assert access.pop("number")
    assert access == {
        "reader": "auditor-7",
        "roles": ["auditor"],
        "operation": "get_enrollment_history",
        "asked_for": f"{BASE}/{path}",
        "employees": [watched.json["employee_id"]],
        "status": 200,
        "correlation_id": "looking",
    }


def test_a_look_at_several_people_names_them_all(api: Api, watched: Answer) -> None:
    other = api.enrolled(watched.json["program_id"], api.hire())
    path = f"audit/events?program_id={watched.json['program_id']}"
    assert api.auditor.get(path, at_least=other).status == 200
    access = accesses(api, f"employee_id={other.json['employee_id']}")[0]
    assert access["operation"] == "get_events"
    assert set(access["employees"]) == {watched.json["employee_id"], other.json["employee_id"]}


def test_a_look_at_nothing_and_a_denied_one_are_logged_too(api: Api, watched: Answer) -> None:
    employee = watched.json["employee_id"]
    reader = api.with_token(token("auditor", subject="auditor-8"))
    assert reader.get(f"audit/enrollments/{uuid4()}").status == 404
    assert reader.get("audit/enrollments/nonsense%00").status == 404
    assert reader.get("audit/events?type=nonsense").status == 422
    denied = api.with_token(token("hr_admin", subject="auditor-8"))
    assert denied.get(f"audit/employees/{employee}").status == 403
    found = [(one["status"], one["employees"]) for one in accesses(api, "reader=auditor-8")]
    assert found == [(403, [employee]), (422, []), (404, []), (404, [])]


def test_whoever_asks_what_a_record_said_before_is_logged(api: Api, watched: Answer) -> None:
    path = f"enrollments/{watched.json['id']}?version=1"
    reader = api.with_token(token("auditor", subject="auditor-9"))
    assert reader.get(path, at_least=watched).status == 200
    assert api.with_token(token("hr_admin", subject="auditor-9")).get(path).status == 403
    assert reader.get(f"enrollments/{watched.json['id']}").status == 200
    found = [(one["status"], one["asked_for"]) for one in accesses(api, "reader=auditor-9")]
    assert found == [(403, f"{BASE}/{path}"), (200, f"{BASE}/{path}")]


def test_a_list_of_the_past_that_is_exported_is_logged_with_everybody_on_each_page(
    api: Api, watched: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "EXPORTED_AT_ONCE", 1)
    program = watched.json["program_id"]
    other = api.enrolled(program, api.hire())
    third = api.enrolled(program, api.hire())
    reader = api.with_token(token("auditor", subject="auditor-10"))
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    path = f"enrollments?program_id={program}&format=ndjson&known_at={now}"
    shown = reader.get(path, at_least=third).data.splitlines()
    assert len(shown) >= 3
    logged = [one["employees"] for one in accesses(api, "reader=auditor-10")]
    assert logged == [[json.loads(line)["employee_id"]] for line in reversed(shown)]
    assert {watched.json["employee_id"], other.json["employee_id"]} < {one for [one] in logged}
    # Of the present it is no history.
    assert reader.get(f"enrollments?program_id={program}&format=ndjson").status == 200
    assert len(accesses(api, "reader=auditor-10")) == len(logged)


def test_who_has_no_token_is_nobody_and_leaves_no_trace(api: Api) -> None:
    accesses(api)
    before = accesses(api, "limit=1")[0]["number"]
    assert api.with_token(None).get("audit/events").status == 401
    assert accesses(api, "limit=1")[0]["number"] == before + 1


def test_looking_at_the_accesses_is_logged(api: Api) -> None:
    accesses(api, "employee_id=e-of-interest")
    [access] = accesses(api, "employee_id=e-of-interest&limit=1")
    assert (access["operation"], access["employees"]) == ("get_audit_accesses", ["e-of-interest"])


def test_accesses_are_filtered_by_time_and_come_page_by_page(api: Api) -> None:
    for _ in range(5):
        accesses(api)
    assert accesses(api, "accessed_before=2000-01-01T00:00:00Z") == []
    following: str | None = "audit/accesses?limit=3&accessed_from=2000-01-01T00:00:00Z"
    numbers = []
    for _ in range(2):
        page = api.auditor.get(following or "").json
        numbers += [one["number"] for one in page["items"]]
        following = page["next"]
    assert len(set(numbers)) == 6
    assert numbers == sorted(numbers, reverse=True)


def test_every_operation_on_history_is_logged(api: Api) -> None:
    ours = [one for one in operations(api) if one.access is Permission.READ_HISTORY]
    assert ours
    accesses(api)
    for one in ours:
        before = accesses(api, "limit=1")[0]["number"]
        one.call(api.auditor)
        latest = accesses(api, "limit=2")
        assert latest[0]["number"] == before + 2, one
        assert one.path.split("{")[0] in latest[0]["asked_for"]


def test_what_was_logged_cannot_be_changed(api: Api, watched: Answer) -> None:
    accesses(api)
    for statement in (
        b"DELETE FROM rollbook.audit_accesses",
        b"UPDATE rollbook.audit_accesses SET reader = 'nobody'",
        b"TRUNCATE rollbook.audit_accesses",
    ):
        with api.pool.connection() as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement)
    assert api.auditor.get(f"audit/enrollments/{watched.json['id']}").status == 200


def test_nothing_is_shown_when_it_cannot_be_logged(empty_api: Api) -> None:
    enrolled = empty_api.enrolled(empty_api.published()["id"], empty_api.hire())
    path = f"audit/enrollments/{enrolled.json['id']}"
    with psycopg.connect(empty_api.url) as conn:
        conn.execute("ALTER TABLE rollbook.audit_accesses RENAME TO away")
    answer = empty_api.auditor.get(path)
    assert answer.status == 500
    assert b"enrollment." not in answer.data
    with psycopg.connect(empty_api.url) as conn:
        conn.execute("ALTER TABLE rollbook.away RENAME TO audit_accesses")
    assert empty_api.auditor.get(path).status == 200
