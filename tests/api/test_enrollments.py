"""Enrollments and certificates over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.api.world import Api

NUMBER = "RB-7K2QD-9XMVA-0RT4C-HWZ31"


def test_an_enrollment_reads_with_its_program_and_employee_by_name(api: Api) -> None:
    program = api.published(category="Safety")
    employee = api.hire(name="Ada", department="Research")
    enrolled = api.enrolled(program["id"], employee, due_on="2030-01-31")
    shown = api.admin.get(f"enrollments/{enrolled.json['id']}", at_least=enrolled).json
    assert shown.items() >= enrolled.json.items()
    beside = {name: shown[name] for name in set(shown) - set(enrolled.json)}
    assert beside == {
        "program_code": program["code"],
        "program_title": program["title"],
        "program_category": "Safety",
        "employee_name": "Ada",
    }
    assert (shown["department"], shown["due_on"], shown["overdue"]) == (
        "Research",
        "2030-01-31",
        False,
    )


def test_a_duplicate_names_the_one_there_is(api: Api) -> None:
    program, employee = api.published(), api.hire()
    first = api.enrolled(program["id"], employee)
    body = {"program_id": program["id"], "employee_id": employee}
    again = api.admin.post("enrollments", body)
    assert (again.status, again.json["code"]) == (409, "duplicate_enrollment")
    assert again.json["enrollment_id"] == first.json["id"]
    assert again.json["employee_id"] == employee


def test_enrolling_again_after_the_end_opens_the_next_cycle(api: Api) -> None:
    program, employee = api.published(), api.hire()
    first = api.enrolled(program["id"], employee)
    path = f"enrollments/{first.json['id']}"
    api.instructor.post(f"{path}/progress", {"percent": 40})
    api.instructor.post(f"{path}/fail", {"score_percent": 20, "reason": "absent"})
    again = api.enrolled(program["id"], employee)
    assert again.json["id"] == first.json["id"]
    assert (again.json["cycle"], again.json["status"], again.json["percent"]) == (2, "enrolled", 0)
    assert api.admin.get(path, at_least=again).json.items() >= again.json.items()


def test_who_is_not_in_the_directory_or_not_active_is_refused(api: Api) -> None:
    program = api.published()
    unknown = api.admin.post(
        "enrollments", {"program_id": program["id"], "employee_id": "stranger"}
    )
    assert (unknown.status, unknown.json["code"]) == (422, "unknown_employee")
    assert list(unknown.broken) == ["employee_id"]
    left = api.hire()
    api.admin.put(f"employees/{left}", {"active": False})
    inactive = api.admin.post("enrollments", {"program_id": program["id"], "employee_id": left})
    assert (inactive.status, inactive.json["code"]) == (422, "inactive_employee")


def test_nobody_enrolls_in_a_draft_or_after_the_deadline(api: Api) -> None:
    draft, over = api.drafted(), api.published(enrollment_deadline="2020-01-01")
    for program, code in ((draft, "program_status"), (over, "enrollment_deadline_passed")):
        body = {"program_id": program["id"], "employee_id": api.hire()}
        refused = api.admin.post("enrollments", body)
        assert (refused.status, refused.json["code"]) == (409, code)
        assert refused.json["program_id"] == program["id"]
    nowhere = api.admin.post("enrollments", {"program_id": str(uuid4()), "employee_id": api.hire()})
    assert (nowhere.status, nowhere.json["code"]) == (404, "program_not_found")


def test_progress_never_falls_except_by_a_correction(api: Api) -> None:
    path = f"enrollments/{api.enrolled(api.published()['id'], api.hire()).json['id']}"
    body = {"percent": 60, "score_percent": 71.25, "note": "half way"}
    first = api.instructor.post(f"{path}/progress", body)
    assert (first.json["status"], first.json["percent"]) == ("in_progress", 60)
    falling = api.instructor.post(f"{path}/progress", {"percent": 59.99})
    assert (falling.status, falling.json["code"]) == (422, "progress_falls")
    assert (list(falling.broken), falling.json["was_percent"]) == (["percent"], 60)
    corrected = api.admin.post(f"{path}/correct", {"percent": 12.5, "reason": "wrong person"})
    assert corrected.json["percent"] == 12.5
    assert api.admin.get(path, at_least=corrected).json["percent"] == 12.5


def test_completing_asks_for_the_pass_score(api: Api) -> None:
    program = api.published(pass_score_percent=50)
    path = f"enrollments/{api.enrolled(program['id'], api.hire()).json['id']}"
    for body in ({}, {"score_percent": 49.99}):
        refused = api.instructor.post(f"{path}/complete", body)
        assert (refused.status, refused.json["code"]) == (422, "pass_score_not_reached")
        assert refused.json["needed"] == 50
    done = api.instructor.post(f"{path}/complete", {"score_percent": 50, "grade": "C"})
    assert (done.json["score_percent"], done.json["grade"]) == (50, "C")
    over = api.instructor.post(f"{path}/progress", {"percent": 100})
    assert (over.status, over.json["code"]) == (409, "enrollment_status")
    assert over.json["current_status"] == "completed"


def test_a_certificate_is_issued_by_hand_once_and_revoked_once(api: Api) -> None:
    offer = {"offered": True, "issued": "manually", "valid_for_months": 12, "title": "Proof"}
    program, employee = api.published(certification=offer), api.hire(name="Bea")
    enrollment = api.enrolled(program["id"], employee).json["id"]
    early = api.admin.post("certificates", {"enrollment_id": enrollment})
    assert (early.status, early.json["code"]) == (409, "enrollment_status")
    completed = api.instructor.post(f"enrollments/{enrollment}/complete")
    assert completed.json["certificate_number"] is None

    issued = api.admin.post("certificates", {"enrollment_id": enrollment})
    number = issued.json["number"]
    assert (issued.status, issued.json["id"], issued.json["status"]) == (201, number, "valid")
    assert issued.headers["Location"] == f"/api/hr/training/certificates/{number}"
    shown = api.admin.get(f"certificates/{number}", at_least=issued).json
    assert shown.items() >= issued.json.items()
    assert (shown["employee_name"], shown["title"]) == ("Bea", "Proof")
    again = api.admin.post("certificates", {"enrollment_id": enrollment})
    assert (again.status, again.json["code"]) == (409, "certificate_exists")
    assert (again.json["enrollment_id"], again.json["number"]) == (enrollment, number)

    unexplained = api.admin.post(f"certificates/{number}/revoke")
    assert (unexplained.status, list(unexplained.broken)) == (422, ["reason"])
    revoked = api.admin.post(f"certificates/{number}/revoke", {"reason": "a mix-up"})
    assert (revoked.status, revoked.json["status"]) == (200, "revoked")
    assert api.admin.get(f"certificates/{number}", at_least=revoked).json["status"] == "revoked"
    twice = api.admin.post(f"certificates/{number}/revoke", {"reason": "again"})
    assert (twice.status, twice.json["code"]) == (409, "certificate_not_live")


def test_voiding_a_completion_revokes_its_certificate(api: Api) -> None:
    program = api.published(certification={"offered": True})
    path = f"enrollments/{api.enrolled(program['id'], api.hire()).json['id']}"
    number = api.instructor.post(f"{path}/complete").json["certificate_number"]
    voided = api.admin.post(f"{path}/void", {"reason": "the wrong list"})
    assert (voided.json["status"], voided.json["certificate_number"]) == ("in_progress", None)
    assert api.admin.get(f"certificates/{number}", at_least=voided).json["status"] == "revoked"


def test_a_certificate_expires_by_itself(api: Api) -> None:
    program = api.published(certification={"offered": True, "valid_for_months": 1})
    long_ago = "2024-01-31T10:00:00Z"
    enrolled = api.enrolled(program["id"], api.hire(), effective_at=long_ago, reason="on paper")
    completed = api.admin.post(
        f"enrollments/{enrolled.json['id']}/complete",
        {"effective_at": long_ago, "reason": "on paper"},
    )
    number = completed.json["certificate_number"]
    shown = api.admin.get(f"certificates/{number}", at_least=completed).json
    assert (shown["status"], shown["valid_until"]) == ("expired", "2024-02-29")
    listed = api.admin.get(f"certificates?status=expired&program_id={program['id']}").json
    assert [item["id"] for item in listed["items"]] == [number]
    assert api.admin.get(f"certificates?status=valid&program_id={program['id']}").json["total"] == 0


def test_certificates_that_end_soon_are_found(api: Api) -> None:
    program = api.published(certification={"offered": True, "valid_for_months": 1})
    endless = api.published(certification={"offered": True})
    for offered in (program, endless):
        enrolled = api.enrolled(offered["id"], api.hire())
        last = api.admin.post(f"enrollments/{enrolled.json['id']}/complete")
    ends = datetime.now(UTC).date() + timedelta(days=32)
    for days, total in ((0, 0), (20, 0), (32, 1)):
        path = f"certificates?expiring_within_days={days}&program_id={program['id']}"
        found = api.admin.get(path, at_least=last).json
        assert found["total"] == len(found["items"]) == total
    assert found["items"][0]["valid_until"] <= ends.isoformat()
    path = f"certificates?expiring_within_days=36500&program_id={endless['id']}"
    assert api.admin.get(path).json["total"] == 0


def test_a_certificate_of_no_offer_and_no_enrollment_is_refused(api: Api) -> None:
    enrolled = api.enrolled(api.published()["id"], api.hire()).json["id"]
    api.instructor.post(f"enrollments/{enrolled}/complete")
    refused = api.admin.post("certificates", {"enrollment_id": enrolled})
    assert (refused.status, refused.json["code"]) == (409, "no_certificate_offered")
    nothing = api.admin.post("certificates", {"enrollment_id": str(uuid4())})
    assert (nothing.status, nothing.json["code"]) == (404, "enrollment_not_found")
    unknown = api.admin.post(f"certificates/{NUMBER}/revoke", {"reason": "r"})
    assert (unknown.status, unknown.json["code"]) == (404, "certificate_not_found")


def test_an_answer_shows_what_its_own_command_came_to(api: Api) -> None:
    path = f"enrollments/{api.enrolled(api.published()['id'], api.hire()).json['id']}"
    versions = [
        api.instructor.post(f"{path}/progress", {"percent": percent}).json["version"]
        for percent in (10, 20, 30)
    ]
    assert versions == [2, 3, 4]
