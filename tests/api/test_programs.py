"""Programs over HTTP: what goes in comes out, and each refusal says why."""

from __future__ import annotations

from uuid import uuid4

from tests.api.world import Api, unique

FULL = {
    "title": "Everything",
    "description": "All that can be said.\nIn two lines, with <b> and \u00fc.",
    "category": "Compliance",
    "level": "advanced",
    "delivery_mode": "blended",
    "provider": "Inhouse",
    "instructor": "Dr. Who",
    "duration_hours": 7.5,
    "capacity": 12,
    "starts_on": "2026-03-01",
    "ends_on": "2026-04-01",
    "enrollment_deadline": "2026-02-20",
    "cost": "1250.00",
    "currency": "EUR",
    "mandatory": True,
    "tags": ["safety", "yearly"],
    "pass_score_percent": 62.5,
    "certification": {
        "offered": True,
        "title": "Certified",
        "issued": "manually",
        "valid_for_months": 24,
    },
}


def test_every_field_comes_back_as_it_was_given(api: Api) -> None:
    created = api.admin.post("programs", FULL | {"code": unique("FULL")})
    shown = api.admin.get(f"programs/{created.json['id']}", at_least=created)
    assert shown.json == created.json
    assert {name: shown.json[name] for name in FULL} == FULL
    assert (shown.json["status"], shown.json["version"], shown.json["revision"]) == ("draft", 1, 1)
    assert (shown.json["seats_taken"], shown.json["waitlist_length"]) == (0, 0)
    assert created.headers["Location"] == f"/api/hr/training/programs/{created.json['id']}"


def test_what_is_left_out_has_its_default(api: Api) -> None:
    program = api.drafted()
    assert program["capacity"] is None
    assert program["seats_taken"] is None
    assert program["mandatory"] is False
    assert program["tags"] == []
    assert program["certification"] == {
        "offered": False,
        "title": None,
        "issued": "automatically",
        "valid_for_months": None,
    }


def test_putting_replaces_all_of_it(api: Api) -> None:
    program = api.drafted(category="Old", tags=["old"])
    body = {"code": program["code"], "title": "New"}
    revised = api.admin.put(f"programs/{program['id']}", body)
    assert (revised.status, revised.json["title"]) == (200, "New")
    assert (revised.json["category"], revised.json["tags"]) == (None, [])
    assert revised.json["revision"] == 2
    shown = api.admin.get(f"programs/{program['id']}", at_least=revised)
    assert shown.json == revised.json


def test_putting_the_same_again_records_nothing(api: Api) -> None:
    program = api.drafted()
    before = api.log_length()
    body = {"code": program["code"], "title": program["title"]}
    same = api.admin.put(f"programs/{program['id']}", body)
    assert (same.status, same.json["version"]) == (200, program["version"])
    assert api.log_length() == before


def test_the_lifecycle_goes_its_way_and_no_other(api: Api) -> None:
    path = f"programs/{api.drafted()['id']}"
    refused = api.admin.post(f"{path}/archive")
    assert (refused.status, refused.json["code"]) == (409, "program_status")
    assert refused.json["current_status"] == "draft"
    for action, status in (
        ("publish", "published"),
        ("close", "closed"),
        ("publish", "published"),
        ("close", "closed"),
        ("archive", "archived"),
        ("restore", "closed"),
    ):
        done = api.admin.post(f"{path}/{action}", {"reason": f"to {action} it"})
        assert (done.status, done.json["status"]) == (200, status)
        assert api.admin.get(path, at_least=done).json == done.json


def test_an_action_needs_no_body_at_all(api: Api) -> None:
    path = f"programs/{api.drafted()['id']}/publish"
    assert api.admin.call("POST", path).status == 200


def test_a_code_belongs_to_one_program_whatever_its_case(api: Api) -> None:
    program = api.drafted()
    body = {"code": program["code"].lower(), "title": "Another"}
    refused = api.admin.post("programs", body)
    assert (refused.status, refused.json["code"]) == (409, "code_taken")
    assert refused.json["holder"] == program["id"]
    assert list(refused.broken) == ["code"]


def test_a_capacity_below_the_seats_held_is_refused(api: Api) -> None:
    program = api.published(capacity=2)
    for _ in range(2):
        api.enrolled(program["id"], api.hire())
    body = {"code": program["code"], "title": program["title"], "capacity": 1}
    refused = api.admin.put(f"programs/{program['id']}", body)
    assert (refused.status, refused.json["code"]) == (422, "capacity_below_seats")
    assert (refused.json["capacity"], refused.json["held"]) == (1, 2)


def test_a_larger_capacity_lets_those_who_wait_in(api: Api) -> None:
    program = api.published(capacity=1)
    api.enrolled(program["id"], api.hire())
    waiting = api.enrolled(program["id"], api.hire())
    assert waiting.json["status"] == "waitlisted"
    body = {"code": program["code"], "title": program["title"], "capacity": 2}
    revised = api.admin.put(f"programs/{program['id']}", body)
    assert (revised.json["seats_taken"], revised.json["waitlist_length"]) == (2, 0)
    enrollment = api.admin.get(f"enrollments/{waiting.json['id']}", at_least=revised)
    assert enrollment.json["status"] == "enrolled"


def test_commands_on_a_program_that_is_not_there_are_not_found(api: Api) -> None:
    path = f"programs/{uuid4()}"
    answers = [
        api.admin.put(path, {"code": unique("X"), "title": "X"}),
        api.admin.delete(path),
        *(api.admin.post(f"{path}/{a}") for a in ("publish", "close", "archive", "restore")),
    ]
    assert [(a.status, a.json["code"]) for a in answers] == [(404, "program_not_found")] * 6


def test_a_deleted_program_leaves_its_code_to_others(api: Api) -> None:
    program = api.drafted()
    deleted = api.admin.delete(f"programs/{program['id']}")
    assert (deleted.status, deleted.data, deleted.headers.get("Content-Type")) == (204, b"", None)
    assert api.admin.post("programs", {"code": program["code"], "title": "Next"}).status == 201


def test_the_reason_and_the_request_are_on_record(api: Api) -> None:
    program = api.drafted()
    api.admin.post(
        f"programs/{program['id']}/publish", {"reason": "spring"}, headers={"X-Request-Id": "r-77"}
    )
    with api.pool.connection() as conn:
        query = "SELECT state::jsonb FROM rollbook.events WHERE topic = %s AND stream_id = %s"
        row = conn.execute(query, ("program.published.v1", program["id"])).fetchone()
    assert row is not None
    assert row[0]["personal"] == {"reason": "spring"}
    assert row[0]["provenance"]["actor"] == "hr_admin-1"
    assert row[0]["provenance"]["correlation_id"] == "r-77"
