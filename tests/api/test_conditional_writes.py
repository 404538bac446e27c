"""Writes that rely on a version: done while it is the present one, and refused after it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.world import Answer, Api, unique

REASON = {"reason": "because"}
PROGRAM_ACTIONS = ("publish", "close", "archive", "restore")
ENROLLMENT_ACTIONS = ("complete", "fail", "withdraw", "void")


def tags(api: Api) -> Iterator[tuple[Answer, Answer]]:
    """What a command answered, and what a read of the same resource answers behind it."""
    program = api.published(certification={"offered": True})
    enrolled = api.enrolled(program["id"], api.hire())
    path = f"enrollments/{enrolled.json['id']}"
    yield enrolled, api.admin.get(path, at_least=enrolled)
    completed = api.admin.post(f"{path}/complete")
    yield completed, api.admin.get(path, at_least=completed)
    number = completed.json["certificate_number"]
    revoked = api.admin.post(f"certificates/{number}/revoke", REASON)
    yield revoked, api.admin.get(f"certificates/{number}", at_least=revoked)
    closed = api.admin.post(f"programs/{program['id']}/close")
    yield closed, api.admin.get(f"programs/{program['id']}", at_least=closed)


def test_a_command_and_a_read_tell_the_same_etag(api: Api) -> None:
    for command, read in tags(api):
        assert command.headers["ETag"] == f'"{read.json["version"]}"'
        assert version_in(read) == version_in(command)


def version_in(answer: Answer) -> str:
    """What of its ETag a write is held to; behind it stands what else a read shows."""
    return answer.headers["ETag"].strip('"').partition("-")[0]


def test_a_write_is_done_while_the_etag_is_the_present_one_and_refused_after_it(api: Api) -> None:
    program = api.published()
    path, body = f"programs/{program['id']}", {"code": program["code"], "title": "Mine"}
    seen = f'"{program["version"]}"'
    mine = api.admin.put(path, body, headers={"If-Match": seen})
    assert mine.status == 200
    before = api.log_length()
    theirs = api.admin.put(path, body | {"title": "Theirs"}, headers={"If-Match": seen})
    assert (theirs.status, theirs.json["code"]) == (412, "version_mismatch")
    assert theirs.headers["ETag"] == mine.headers["ETag"]
    assert theirs.json["current_version"] == mine.json["version"]
    assert api.log_length() == before
    closed = api.admin.post(f"{path}/close", headers={"If-Match": theirs.headers["ETag"]})
    assert closed.status == 200


@pytest.mark.parametrize("header", ['"1-3f", "2-a"', '"7",  "2"', "*", '"2"'])
def test_one_etag_of_several_or_any_is_enough(api: Api, header: str) -> None:
    path = f"programs/{api.published()['id']}"
    assert api.admin.post(f"{path}/close", headers={"If-Match": header}).status == 200


@pytest.mark.parametrize("header", ['"1"', 'W/"2"', '"x2"', '"2x"', '""', '"1", W/"2"'])
def test_etags_of_others_and_weak_ones_match_nothing(api: Api, header: str) -> None:
    path = f"programs/{api.published()['id']}"
    assert api.admin.post(f"{path}/close", headers={"If-Match": header}).status == 412


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "2"},
        {"If-Match": '"2'},
        {"If-Match": '"2" "3"'},
        {"If-Match": '*, "2"'},
        {"If-None-Match": '"2"'},
        {"If-None-Match": "*", "If-Match": "*"},
    ],
)
def test_a_condition_that_cannot_be_read_is_refused(api: Api, headers: dict[str, str]) -> None:
    path = f"programs/{api.published()['id']}"
    refused = api.admin.post(f"{path}/close", headers=headers)
    assert (refused.status, list(refused.broken)) == (400, [next(iter(headers))])


def test_what_is_not_there_is_not_found_whatever_is_expected(api: Api) -> None:
    nobody = "programs/2f8ff6cc-3b6b-4b43-8d3e-6a0a7d7f1f11"
    assert api.admin.post(f"{nobody}/close", headers={"If-Match": "*"}).status == 404
    body = {"code": unique("X"), "title": "X"}
    assert api.admin.put(nobody, body, headers={"If-None-Match": "*"}).status == 404


def test_an_employee_has_a_version_that_rises_with_changes_alone(api: Api) -> None:
    path = f"employees/{unique('v')}"
    created = api.admin.put(path, {"name": "Vi"}, headers={"If-None-Match": "*"})
    assert (created.status, created.headers["ETag"]) == (201, '"1"')
    same = api.admin.put(path, {"name": "Vi"}, headers={"If-Match": '"1"'})
    assert (same.status, same.headers["ETag"]) == (200, '"1"')
    changed = api.admin.patch(path, {"department": "R&D"}, headers={"If-Match": '"1"'})
    assert version_in(changed) == version_in(api.admin.get(path)) == "2"
    for headers in ({"If-None-Match": "*"}, {"If-Match": '"1"'}):
        for refused in (
            api.admin.put(path, {}, headers=headers),
            api.admin.patch(path, {"name": None}, headers=headers),
        ):
            assert (refused.status, refused.headers["ETag"]) == (412, '"2"')
    assert api.admin.get(path).json == changed.json


def test_an_employee_who_must_be_there_is_not_made(api: Api) -> None:
    path = f"employees/{unique('v')}"
    refused = api.admin.put(path, {}, headers={"If-Match": "*"})
    assert (refused.status, refused.json["current_version"]) == (412, 0)
    assert "ETag" not in refused.headers
    assert api.admin.get(path).status == 404


def test_of_many_who_create_an_employee_at_once_one_does(api: Api) -> None:
    path = f"employees/{unique('v')}"

    def create(number: int) -> int:
        body, condition = {"name": str(number)}, {"If-None-Match": "*"}
        return api.admin.put(path, body, headers=condition).status

    with ThreadPoolExecutor(6) as callers:
        assert sorted(callers.map(create, range(12))) == [201] + [412] * 11


def test_every_write_on_a_resource_checks_the_version(api: Api) -> None:
    program = api.published(certification={"offered": True})
    enrollment = api.enrolled(program["id"], api.hire()).json["id"]
    completed = api.admin.post(f"enrollments/{enrollment}/complete").json
    number = completed["certificate_number"]
    percent, stale = REASON | {"percent": 1}, {"If-Match": '"99"'}
    writes = [
        ("PUT", f"programs/{program['id']}", {"code": program["code"], "title": "T"}),
        ("PATCH", f"programs/{program['id']}", {"title": "T"}),
        ("DELETE", f"programs/{program['id']}", {}),
        *(("POST", f"programs/{program['id']}/{it}", {}) for it in PROGRAM_ACTIONS),
        *(("POST", f"enrollments/{enrollment}/{it}", percent) for it in ("progress", "correct")),
        *(("POST", f"enrollments/{enrollment}/{it}", REASON) for it in ENROLLMENT_ACTIONS),
        ("POST", f"certificates/{number}/revoke", REASON),
    ]
    for method, path, body in writes:
        refused = api.admin.call(method, path, json=body, headers=stale)
        assert (refused.status, refused.json["code"]) == (412, "version_mismatch"), path


def test_a_certificate_keeps_its_version_while_its_enrollment_goes_on(api: Api) -> None:
    program, employee = api.published(certification={"offered": True})["id"], api.hire()
    path = f"enrollments/{api.enrolled(program, employee).json['id']}"
    number = api.admin.post(f"{path}/complete").json["certificate_number"]
    again = api.enrolled(program, employee)
    revoke = f"certificates/{number}/revoke"
    refused = api.admin.post(revoke, REASON, headers={"If-Match": again.headers["ETag"]})
    assert refused.status == 412
    read = api.admin.get(f"certificates/{number}", at_least=again)
    etag = read.headers["ETag"]
    assert version_in(read) == version_in(refused)
    assert api.admin.post(revoke, REASON, headers={"If-Match": etag}).status == 200
