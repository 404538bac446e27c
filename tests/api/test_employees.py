"""The directory over HTTP."""

from __future__ import annotations

import pytest

from tests.api.world import Api

WHOLE = {
    "name": "Zo\u00eb O'Neil",
    "email": "zoe@example.org",
    "department": "R&D",
    "manager": "boss",
    "active": False,
}


def test_putting_creates_first_and_replaces_then(api: Api) -> None:
    created = api.admin.put("employees/zoe", WHOLE)
    assert (created.status, created.json) == (201, {"id": "zoe", **WHOLE, "version": 1})
    assert api.admin.get("employees/zoe").json == created.json
    replaced = api.admin.put("employees/zoe", {"id": "zoe", "name": "Zoe"})
    assert replaced.status == 200
    assert replaced.json == {
        "id": "zoe",
        "name": "Zoe",
        "email": None,
        "department": None,
        "manager": None,
        "active": True,
        "version": 2,
    }


@pytest.mark.parametrize("employee_id", ["a b", "m\u00fcller", "0042", "a.b", "x@y", "%41", "a+b"])
def test_any_visible_text_without_a_slash_may_be_an_id(api: Api, employee_id: str) -> None:
    quoted = employee_id.replace("%", "%25").replace(" ", "%20").replace("+", "%2B")
    assert api.admin.put(f"employees/{quoted}", {}).json["id"] == employee_id
    assert api.admin.get(f"employees/{quoted}").json["id"] == employee_id


def test_nobody_is_not_found(api: Api) -> None:
    answer = api.admin.get("employees/nobody")
    assert (answer.status, answer.json["identifier"]) == (404, "nobody")


def test_a_name_that_changes_is_seen_at_once_beside_the_enrollment(api: Api) -> None:
    employee = api.hire(name="Before")
    enrolled = api.enrolled(api.published()["id"], employee)
    api.admin.put(f"employees/{employee}", {"name": "After"})
    shown = api.admin.get(f"enrollments/{enrolled.json['id']}", at_least=enrolled)
    assert shown.json["employee_name"] == "After"


def test_the_directory_is_no_part_of_the_log(api: Api) -> None:
    before = api.log_length()
    answer = api.admin.put("employees/outside", {"name": "Outside"})
    assert "Rollbook-Position" not in answer.headers
    assert api.log_length() == before
