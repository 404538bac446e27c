"""What an employee sees and does: one's own records, and programs that are offered."""

from __future__ import annotations

import pytest

from tests.api.world import Api


@pytest.fixture(scope="module")
def program(api: Api) -> str:
    return str(api.published(certification={"offered": True})["id"])


def test_an_employee_enrolls_oneself_without_saying_whom(api: Api, program: str) -> None:
    me = api.hire()
    answer = api.employee(me).post("enrollments", {"program_id": program})
    assert answer.status == 201
    assert (answer.json["employee_id"], answer.json["source"]) == (me, "self")
    assert answer.headers["Location"] == f"/api/hr/training/enrollments/{answer.json['id']}"


def test_an_employee_may_say_that_it_is_oneself(api: Api, program: str) -> None:
    me = api.hire()
    body = {"program_id": program, "employee_id": me}
    assert api.employee(me).post("enrollments", body).status == 201


def test_an_employee_enrolls_nobody_else(api: Api, program: str) -> None:
    before = api.log_length()
    body = {"program_id": program, "employee_id": api.hire()}
    answer = api.employee(api.hire()).post("enrollments", body)
    assert (answer.status, answer.broken) == (403, {"employee_id": "must be the caller's own"})
    assert api.log_length() == before


def test_the_claim_employee_id_says_whose_records_are_ones_own(api: Api, program: str) -> None:
    me = api.hire()
    caller = api.role("employee", employee_id=me)
    assert caller.post("enrollments", {"program_id": program}).json["employee_id"] == me


def test_hr_must_say_whom_it_enrolls_and_assigns_it(api: Api, program: str) -> None:
    refused = api.admin.post("enrollments", {"program_id": program})
    assert (refused.status, refused.broken) == (422, {"employee_id": "is required"})
    assert api.enrolled(program, api.hire()).json["source"] == "assigned"


def test_an_employee_sees_ones_own_enrollments_alone(api: Api, program: str) -> None:
    me, other = api.hire(), api.hire()
    mine, theirs = api.enrolled(program, me), api.enrolled(program, other)
    caller = api.employee(me)
    listing = caller.get("enrollments", at_least=theirs).json
    assert ([item["id"] for item in listing["items"]], listing["total"]) == ([mine.json["id"]], 1)
    asked_for_theirs = caller.get(f"enrollments?employee_id={other}").json
    assert (asked_for_theirs["items"], asked_for_theirs["total"]) == ([], 0)
    assert caller.get(f"enrollments/{mine.json['id']}").status == 200
    hidden = caller.get(f"enrollments/{theirs.json['id']}")
    assert (hidden.status, hidden.json["code"]) == (404, "enrollment_not_found")


def test_an_employee_withdraws_oneself_and_nobody_else(api: Api, program: str) -> None:
    me = api.hire()
    mine, theirs = api.enrolled(program, me), api.enrolled(program, api.hire())
    caller = api.employee(me)
    before = api.log_length()
    assert caller.post(f"enrollments/{theirs.json['id']}/withdraw").status == 404
    assert api.log_length() == before
    assert caller.post(f"enrollments/{mine.json['id']}/withdraw").json["status"] == "withdrawn"


def test_an_employee_sees_ones_own_certificates_alone(api: Api, program: str) -> None:
    me, other = api.hire(), api.hire()
    numbers = {}
    for employee in (me, other):
        enrollment = api.enrolled(program, employee).json["id"]
        completed = api.instructor.post(f"enrollments/{enrollment}/complete")
        numbers[employee] = completed.json["certificate_number"]
    caller = api.employee(me)
    listing = caller.get("certificates", at_least=completed).json
    assert [item["id"] for item in listing["items"]] == [numbers[me]]
    assert caller.get(f"certificates/{numbers[me]}").status == 200
    assert caller.get(f"certificates/{numbers[other]}").status == 404


def test_an_employee_sees_published_and_closed_programs_alone(api: Api) -> None:
    draft, published = api.drafted(category="Mix"), api.published(category="Mix")
    closed, archived = api.published(category="Mix"), api.published(category="Mix")
    api.admin.post(f"programs/{closed['id']}/close")
    api.admin.post(f"programs/{archived['id']}/close")
    last = api.admin.post(f"programs/{archived['id']}/archive")
    caller = api.employee("somebody")
    listing = caller.get("programs?category=Mix", at_least=last).json
    assert {item["id"] for item in listing["items"]} == {published["id"], closed["id"]}
    assert listing["total"] == 2
    assert caller.get("programs?category=Mix&status=draft").json["total"] == 0
    for program, status in ((draft, 404), (published, 200), (closed, 200), (archived, 404)):
        assert caller.get(f"programs/{program['id']}").status == status
    assert api.auditor.get("programs?category=Mix").json["total"] == 4


def test_one_acts_in_the_widest_of_ones_roles(api: Api, program: str) -> None:
    caller = api.role("employee", "hr_admin", employee_id="me")
    answer = caller.post("enrollments", {"program_id": program, "employee_id": api.hire()})
    assert (answer.status, answer.json["source"]) == (201, "assigned")
    assert provenance(api, answer.json["id"])["role"] == "hr_admin"


def test_the_first_role_that_permits_it_is_the_one_on_record(api: Api, program: str) -> None:
    enrollment = api.enrolled(program, api.hire()).json["id"]
    caller = api.role("auditor", "instructor", "hr_admin")
    caller.post(f"enrollments/{enrollment}/progress", {"percent": 10})
    assert provenance(api, enrollment)["role"] == "instructor"
    backdated = {"percent": 20, "effective_at": "2026-01-01T00:00:00Z", "reason": "a late list"}
    refused = caller.post(f"enrollments/{enrollment}/progress", backdated)
    assert refused.broken.keys() == {"effective_at"}
    corrected = caller.post(f"enrollments/{enrollment}/correct", {"percent": 5, "reason": "a slip"})
    assert corrected.json["percent"] == 5
    assert provenance(api, enrollment)["role"] == "hr_admin"


def test_only_hr_backdates_and_says_why(api: Api, program: str) -> None:
    enrollment = api.enrolled(
        program, api.hire(), effective_at="2026-02-01T08:00:00+01:00", reason="on paper"
    )
    assert enrollment.json["began_at"] == "2026-02-01T07:00:00Z"
    path = f"enrollments/{enrollment.json['id']}/progress"
    body = {"percent": 30, "effective_at": "2026-02-02T00:00:00Z", "reason": "on paper"}
    before = api.log_length()
    assert api.instructor.post(path, body).status == 403
    unexplained = api.admin.post(path, body | {"reason": None})
    assert (unexplained.status, list(unexplained.broken)) == (422, ["reason"])
    future = api.admin.post(path, body | {"effective_at": "2999-01-01T00:00:00Z"})
    assert (future.status, list(future.broken)) == (422, ["effective_at"])
    assert api.log_length() == before
    assert api.admin.post(path, body).json["started_at"] == "2026-02-02T00:00:00Z"


def provenance(api: Api, stream_id: str) -> dict[str, str]:
    """That of the stream's last event."""
    with api.pool.connection() as conn:
        query = (
            "SELECT (state->'provenance')::jsonb FROM rollbook.events"
            " WHERE stream_id = %s ORDER BY version DESC LIMIT 1"
        )
        row = conn.execute(query, (stream_id,)).fetchone()
    assert row is not None
    return dict(row[0])
