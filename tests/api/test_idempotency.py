"""Keyed requests: one effect and one answer, however often they are sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from eventlog.answers import forget_answers
from tests.api.world import Answer, Api, Caller, unique


def keyed(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or str(uuid4())}


def same(one: Answer, other: Answer) -> bool:
    """Whether the other is the first answer again, in all that matters."""
    names = ("Content-Type", "Location", "ETag", "Rollbook-Position")
    told = [[answer.headers.get(name) for name in names] for answer in (one, other)]
    return (one.status, one.data, told[0]) == (other.status, other.data, told[1])


def test_a_repeated_request_gets_the_first_answer_and_does_nothing(api: Api) -> None:
    program, employee = api.published(capacity=3)["id"], api.hire()
    calls: list[tuple[str, dict[str, Any]]] = [
        ("programs", {"code": unique("KEY"), "title": "Keyed"}),
        ("enrollments", {"program_id": program, "employee_id": employee}),
        (f"programs/{program}/close", {"reason": "once"}),
    ]
    for path, body in calls:
        headers = keyed()
        first = api.admin.post(path, body, headers=headers)
        assert first.status in {200, 201}
        assert "Idempotency-Replayed" not in first.headers
        before = api.log_length()
        for _ in range(2):
            again = api.admin.post(path, body, headers=headers)
            assert same(first, again)
            assert again.headers["Idempotency-Replayed"] == "true"
            assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
        assert api.log_length() == before


def test_the_first_answer_stays_although_the_resource_went_on(api: Api) -> None:
    path, headers = f"programs/{api.drafted()['id']}", keyed()
    first = api.admin.post(f"{path}/publish", headers=headers)
    api.admin.post(f"{path}/close")
    assert same(first, api.admin.post(f"{path}/publish", headers=headers))
    assert api.admin.post(f"{path}/close").json["code"] == "program_status"


def test_a_refusal_is_an_answer_too(api: Api) -> None:
    path, headers = f"programs/{api.drafted()['id']}", keyed()
    refused = api.admin.post(f"{path}/close", headers=headers)
    assert (refused.status, refused.json["code"]) == (409, "program_status")
    api.admin.post(f"{path}/publish")
    again = api.admin.post(f"{path}/close", headers=headers)
    assert same(refused, again)
    assert api.admin.post(f"{path}/close", headers=keyed()).status == 200


def test_what_never_came_to_be_decided_is_not_kept(api: Api) -> None:
    headers, code = keyed(), unique("LATE")
    assert api.admin.post("programs", {"code": code}, headers=headers).status == 422
    assert api.auditor.post("programs", {"code": code}, headers=headers).status == 403
    body = {"code": code, "title": "Whole"}
    created = api.admin.post("programs", body, headers=headers)
    assert (created.status, created.headers.get("Idempotency-Replayed")) == (201, None)


def test_a_key_stands_for_one_request(api: Api) -> None:
    path, headers = f"programs/{api.published()['id']}/close", keyed()
    body = {"reason": "first"}
    assert api.admin.post(path, body, headers=headers).status == 200
    others = [
        api.admin.post(path, {"reason": "second"}, headers=headers),
        api.admin.post(path.replace("close", "archive"), body, headers=headers),
        api.admin.post(path, body, headers=headers | {"If-Match": "*"}),
    ]
    codes = [(other.status, other.json["code"], *other.broken) for other in others]
    assert codes == [(422, "idempotency_key_reused", "Idempotency-Key")] * 3


def test_a_key_is_its_callers_own(api: Api) -> None:
    program, headers = api.published()["id"], keyed()
    ann, bob = api.hire(), api.hire()
    for employee in (ann, bob):
        body = {"program_id": program}
        enrolled = api.employee(employee).post("enrollments", body, headers=headers)
        assert (enrolled.status, enrolled.json["employee_id"]) == (201, employee)


@pytest.mark.parametrize("key", ["", " ", '"', "a b", "a,b", "a\\b", '"a', "\u00fc", "k" * 256])
def test_a_key_that_cannot_be_one_is_refused(api: Api, key: str) -> None:
    before = api.log_length()
    body = {"code": unique("BAD"), "title": "Bad key"}
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}
    refused = api.admin.post("programs", body, headers=headers)
    assert (refused.status, list(refused.broken)) == (400, ["Idempotency-Key"])
    assert api.log_length() == before


def test_a_key_may_be_quoted_as_structured_fields_are(api: Api) -> None:
    body = {"code": unique("QUOTED"), "title": "Quoted"}
    key = unique("key~" + "k" * 240)
    first = api.admin.post("programs", body, headers=keyed(key))
    assert same(first, api.admin.post("programs", body, headers=keyed(f'"{key}"')))


def test_a_request_that_is_still_running_is_told_so(api: Api) -> None:
    path, headers = f"programs/{api.published()['id']}", keyed()
    with api.services.log.transaction(), ThreadPoolExecutor(1) as other_thread:
        # Nested in this transaction, so what it stores is not committed yet.
        first = api.admin.post(f"{path}/close", headers=headers)
        second = other_thread.submit(api.admin.post, f"{path}/close", headers=headers).result()
    assert (second.status, second.json["code"]) == (409, "request_running")
    assert second.headers["Retry-After"] == "1"
    assert same(first, api.admin.post(f"{path}/close", headers=headers))


def test_many_who_send_one_keyed_request_at_once_have_one_effect(api: Api) -> None:
    body, headers = {"code": unique("MANY"), "title": "Many"}, keyed()

    def until_answered(_: int) -> Answer:
        while True:
            answer = api.admin.post("programs", body, headers=headers)
            if answer.status != 409:
                return answer

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(until_answered, range(24)))
    assert all(same(answers[0], answer) for answer in answers)
    assert answers[0].status == 201
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1


def test_those_who_get_the_answer_again_do_not_wait_for_each_other(api: Api) -> None:
    body, headers = {"code": unique("AGAIN"), "title": "Again"}, keyed()
    first = api.admin.post("programs", body, headers=headers)
    with api.services.log.transaction(), ThreadPoolExecutor(1) as other_thread:
        again = api.admin.post("programs", body, headers=headers)
        another = other_thread.submit(api.admin.post, "programs", body, headers=headers).result()
    assert same(first, again)
    assert same(first, another)


def test_a_keyed_race_for_seats_is_decided_like_any_other(api: Api) -> None:
    program = api.published(capacity=2)["id"]

    def enroll(employee: str) -> str:
        body = {"program_id": program, "employee_id": employee}
        return str(api.admin.post("enrollments", body, headers=keyed()).json["status"])

    staff = [api.hire() for _ in range(12)]
    with ThreadPoolExecutor(6) as callers:
        assert sorted(callers.map(enroll, staff)) == ["enrolled"] * 2 + ["waitlisted"] * 10


def test_a_key_is_forgotten_after_a_day(api: Api) -> None:
    body, headers = {"code": unique("DAY"), "title": "A day"}, keyed()
    assert api.admin.post("programs", body, headers=headers).status == 201
    grow_older(api, timedelta(hours=23))
    assert api.admin.post("programs", body, headers=headers).status == 201
    grow_older(api, timedelta(hours=1))
    assert api.admin.post("programs", body, headers=headers).json["code"] == "code_taken"


def test_expired_answers_are_removed_by_those_that_come(api: Api) -> None:
    for _ in range(30):
        close_nothing(api.admin)
    grow_older(api, timedelta(hours=24))
    for _ in range(2):
        close_nothing(api.admin)
    assert kept(api) == 2


def close_nothing(caller: Caller) -> None:
    assert caller.post(f"programs/{uuid4()}/close", headers=keyed()).status == 404


def grow_older(api: Api, age: timedelta) -> None:
    with api.pool.connection() as conn:
        conn.execute("update rollbook.kept_answers set kept_at = kept_at - %s", (age,))


def kept(api: Api) -> int:
    with api.pool.connection() as conn:
        ((count,),) = conn.execute("select count(*) from rollbook.kept_answers").fetchall()
    return int(count)


def test_what_is_kept_about_a_person_can_be_removed(api: Api) -> None:
    program, ann, bob = api.published()["id"], api.hire(), api.hire()
    for employee in (ann, bob):
        body = {"program_id": program, "employee_id": employee}
        api.admin.post("enrollments", body, headers=keyed())
    api.employee(ann).post("enrollments", {"program_id": program}, headers=keyed())
    with api.pool.connection() as conn:
        assert [forget_answers(conn, it) for it in (ann, ann, bob)] == [2, 0, 1]


def test_without_a_key_the_same_request_is_another_one(api: Api) -> None:
    body = {"code": unique("TWICE"), "title": "Twice"}
    assert [api.admin.post("programs", body).status for _ in range(2)] == [201, 409]
