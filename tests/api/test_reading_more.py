"""Reading in depth: waiting lists, transcripts, one's own page, fields, and what is beside."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.world import Answer, Api


def test_a_waiting_list_is_in_turn_and_an_employee_sees_ones_own_place(api: Api) -> None:
    program = api.published(capacity=1)["id"]
    inside, *waiting = [api.hire() for _ in range(4)]
    for employee in (inside, *waiting):
        last = api.enrolled(program, employee)
    path = f"programs/{program}/waitlist"
    listed = api.admin.get(path, at_least=last).json
    assert [(one["place"], one["employee_id"]) for one in listed["items"]] == list(
        enumerate(waiting, start=1)
    )
    assert listed["total"] == 3
    first = api.admin.get(f"{path}?limit=2").json
    assert [one["place"] for one in api.admin.get(first["next"]).json["items"]] == [3]
    mine = api.employee(waiting[1]).get(path).json
    assert ([one["place"] for one in mine["items"]], mine["total"]) == ([2], 1)
    enrollment = listed["items"][0]["enrollment_id"]
    left = api.admin.post(f"enrollments/{enrollment}/withdraw")
    after = api.admin.get(path, at_least=left).json
    assert [(one["place"], one["employee_id"]) for one in after["items"]] == list(
        enumerate(waiting[1:], start=1)
    )


def test_a_transcript_shows_every_cycle_in_every_program(api: Api) -> None:
    employee, other = api.hire(), api.published()["id"]
    program = api.published(certification={"offered": True})["id"]
    enrollment = api.enrolled(program, employee).json["id"]
    body = {"score_percent": 81.5, "grade": "B"}
    first = api.admin.post(f"enrollments/{enrollment}/complete", body).json
    api.enrolled(program, employee)
    last = api.enrolled(other, employee)
    answer = api.admin.get(f"employees/{employee}/transcript", at_least=last).json
    assert [(one["program_id"], one["cycle"]) for one in answer["items"]] == [
        (program, 1),
        (program, 2),
        (other, 1),
    ]
    past = answer["items"][0]
    assert past | {"program_id": program} == past
    assert past["certificate_number"] == first["certificate_number"]
    for name in ("status", "score_percent", "grade", "began_at", "started_at", "ended_at"):
        assert past[name] == first[name]
    assert api.employee(employee).get(f"employees/{employee}/transcript").json == answer
    assert api.employee(api.hire()).get(f"employees/{employee}/transcript").status == 404
    assert api.admin.get("employees/nobody-at-all/transcript").status == 404


def test_one_sees_who_one_is_and_what_one_has(api: Api) -> None:
    employee = api.hire(name="Ida", department="Sales")
    program = api.published(certification={"offered": True})["id"]
    late = api.published()["id"]
    enrollment = api.enrolled(program, employee).json["id"]
    api.admin.post(f"enrollments/{enrollment}/complete")
    last = api.enrolled(late, employee, due_on="2020-01-01")
    me = api.employee(employee).get("me", at_least=last).json
    assert (me["subject"], me["roles"], me["employee_id"]) == (employee, ["employee"], employee)
    assert (me["name"], me["department"], me["overdue"]) == ("Ida", "Sales", 1)
    assert (me["enrollments"]["completed"], me["enrollments"]["enrolled"]) == (1, 1)
    assert me["certificates"] == {"valid": 1, "expired": 0, "revoked": 0}
    assert api.service.get("me").json["enrollments"]["completed"] == 0


@pytest.fixture(scope="module")
def completed(api: Api) -> Answer:
    """An enrollment with a certificate, and all read tables behind it."""
    program = api.published(title="Safety", certification={"offered": True})["id"]
    enrollment = api.enrolled(program, api.hire(name="Zed")).json["id"]
    answer = api.admin.post(f"enrollments/{enrollment}/complete", {"score_percent": 90})
    for resource in ("programs", "enrollments", "certificates"):
        api.admin.get(resource, at_least=answer)
    return answer


def test_a_read_shows_what_its_command_answered_and_names_beside_it(
    api: Api, completed: Answer
) -> None:
    shown = api.admin.get(f"enrollments/{completed.json['id']}").json
    assert {name: shown[name] for name in completed.json} == completed.json
    assert shown.keys() - completed.json.keys() == {
        "program_code",
        "program_title",
        "program_category",
        "employee_name",
    }
    listed = api.admin.get(f"programs/{shown['program_id']}/enrollments").json
    assert (listed["items"], listed["total"]) == ([shown], 1)


def test_only_the_fields_that_are_asked_for_are_shown(api: Api, completed: Answer) -> None:
    path = f"enrollments/{completed.json['id']}?fields=employee_name,id"
    assert api.admin.get(path).json == {"employee_name": "Zed", "id": completed.json["id"]}
    items = api.admin.get("programs?fields=code&limit=1").json["items"]
    assert [list(item) for item in items] == [["code"]]


def test_what_is_included_is_what_its_own_address_answers(api: Api, completed: Answer) -> None:
    path = f"enrollments/{completed.json['id']}?include=program,employee,certificate&fields=id"
    shown = api.admin.get(path).json
    assert shown.keys() == {"id", "program", "employee", "certificate"}
    program = api.admin.get(f"programs/{completed.json['program_id']}").json
    assert shown["program"] == program
    assert shown["employee"] == api.admin.get(f"employees/{completed.json['employee_id']}").json
    number = completed.json["certificate_number"]
    certificate = api.admin.get(f"certificates/{number}").json
    assert shown["certificate"] | {"signature": None} == certificate
    listed = api.admin.get("certificates?include=enrollment&limit=1").json["items"][0]
    assert listed["enrollment"]["id"] == listed["enrollment_id"]


def test_one_includes_nothing_that_one_may_not_read(api: Api, completed: Answer) -> None:
    own = api.employee(completed.json["employee_id"])
    assert own.get("enrollments?include=employee").status == 403
    api.admin.post(f"programs/{completed.json['program_id']}/close")
    gone = api.admin.post(f"programs/{completed.json['program_id']}/archive")
    shown = own.get("enrollments?include=program", at_least=gone).json["items"]
    assert [item["program"] for item in shown] == [None]
    seen = api.instructor.get(f"enrollments/{completed.json['id']}?include=program").json
    assert seen["program"]["status"] == "archived"


@pytest.mark.parametrize("parameter", ["fields=id,salary", "include=manager", "include="])
def test_an_unknown_name_is_told(api: Api, parameter: str) -> None:
    answer = api.admin.get(f"enrollments?{parameter}")
    assert (answer.status, list(answer.broken)) == (422, [parameter.partition("=")[0]])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("began_from=2026-01-01&sort=due_on", "sort"),
        ("began_from=2026-01-01&ended_to=2026-02-01", "ended_to"),
        ("due_to=2026-01-01&score_min=60", "score_min"),
        ("overdue=false&began_to=2026-01-01", "overdue"),
        ("overdue=false&sort=began_at", "sort"),
        ("overdue=false&sort=due_on,employee_id", "sort"),
        ("sort=score_percent", "sort"),
        ("sort=-due_on,employee_id", "sort"),
        ("sort=began_at,began_on", "sort"),
        ("score_min=80.123", "score_min"),
        ("due_to=tomorrow", "due_to"),
        ("q=%25%25", "q"),
    ],
)
def test_what_no_index_serves_or_nobody_understands_is_refused(
    api: Api, query: str, field: str
) -> None:
    answer = api.admin.get(f"enrollments?{query}")
    assert (answer.status, list(answer.broken)) == (422, [field])


def test_what_a_score_must_be_is_told(api: Api) -> None:
    broken = api.admin.get("enrollments?score_min=80.123").broken
    assert broken == {"score_min": "must be a number with two decimals at most"}


def test_a_list_that_did_not_change_is_not_sent_again(api: Api) -> None:
    employee = api.hire(name="Una")
    last = api.enrolled(api.published()["id"], employee)
    path = f"enrollments?employee_id={employee}"
    first = api.admin.get(path, at_least=last)
    held = {"If-None-Match": first.headers["ETag"]}
    again = api.admin.get(path, headers=held)
    assert (again.status, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert first.headers["Cache-Control"] == "private, no-cache"
    # The same rows are the same for whoever may see them; another name and another event are not.
    assert api.auditor.get(path, headers=held).status == 304
    assert api.instructor.get("programs", headers=held).status == 200
    api.admin.put(f"employees/{employee}", {"name": "Uma"})
    renamed = api.admin.get(path, headers=held)
    assert renamed.json["items"][0]["employee_name"] == "Uma"
    held = {"If-None-Match": renamed.headers["ETag"]}
    more = api.admin.post(f"enrollments/{last.json['id']}/progress", {"percent": 5})
    assert api.admin.get(path, headers=held, at_least=more).json["items"][0]["percent"] == 5


def test_a_resource_that_did_not_change_is_not_sent_again(api: Api) -> None:
    employee = api.hire(name="Ola")
    last = api.enrolled(api.published()["id"], employee)
    path = f"enrollments/{last.json['id']}"
    first = api.admin.get(path, at_least=last)
    held: dict[str, Any] = {"If-None-Match": f'"x", {first.headers["ETag"]}'}
    assert api.admin.get(path, headers=held).status == 304
    assert api.admin.get(f"{path}?fields=id", headers=held).status == 200
    api.admin.put(f"employees/{employee}", {"name": "Olaf"})
    assert api.admin.get(path, headers=held).json["employee_name"] == "Olaf"
