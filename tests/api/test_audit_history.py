"""Histories: every event of an enrollment or a program, with who, why, when and what changed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.world import Answer, Api

EVENTS = [
    "enrollment.enrolled.v1",
    "enrollment.progress_recorded.v1",
    "enrollment.completed.v2",
    "enrollment.certificate_issued.v1",
    "enrollment.completion_voided.v1",
    "enrollment.certificate_revoked.v1",
]


@pytest.fixture(scope="module")
def employee(api: Api) -> str:
    return api.hire(department="Sales")


@pytest.fixture(scope="module")
def voided(api: Api, employee: str) -> Answer:
    """An enrollment that was completed with a certificate, and then voided."""
    program = api.published(certification={"offered": True})
    enrollment = api.enrolled(program["id"], employee)
    path = f"enrollments/{enrollment.json['id']}"
    api.instructor.post(f"{path}/progress", {"percent": 40, "note": "Half way"})
    api.instructor.post(f"{path}/complete", {"score_percent": 88, "grade": "B"})
    return api.admin.post(
        f"{path}/void", {"reason": "Wrong person"}, headers={"X-Request-Id": "void-1"}
    )


def history(api: Api, path: str) -> list[Any]:
    answer = api.auditor.get(f"audit/{path}")
    assert answer.status == 200, answer.data
    items: list[Any] = answer.json["items"]
    return items


def changes(item: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        f"{change['resource']}.{change['field']}": (change["before"], change["after"])
        for change in item["changes"]
    }


def test_a_history_tells_every_event_in_order(api: Api, voided: Answer) -> None:
    events = history(api, f"enrollments/{voided.json['id']}")
    assert [event["stored"]["topic"] for event in events] == EVENTS
    assert [event["version"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert [event["position"] for event in events] == sorted(e["position"] for e in events)
    assert events[-1]["position"] == int(voided.headers["Rollbook-Position"])


def test_an_event_tells_who_did_it_why_when_and_in_which_request(api: Api, voided: Answer) -> None:
    events = history(api, f"enrollments/{voided.json['id']}")
    void, revoked = events[4:]
    assert void["summary"] == "Completion declared void by hr_admin-1 (hr_admin)."
    assert (void["actor"], void["role"], void["reason"], void["correlation_id"]) == (
        "hr_admin-1",
        "hr_admin",
        "Wrong person",
        "void-1",
    )
    assert void["effective_at"] <= void["recorded_at"]
    assert revoked["causation_id"] == f"{voided.json['id']}/5"
    assert set(void["stored"]["state"]["sealed"]["texts"]) == {"reason"}


def test_an_event_tells_what_was_written_about_the_person(api: Api, voided: Answer) -> None:
    path = f"audit/enrollments/{voided.json['id']}"
    events = history(api, path.removeprefix("audit/"))
    texts = [event["texts"] for event in events]
    assert texts == [{}, {"note": "Half way"}, {"grade": "B"}, {}, {}, {}]
    told = api.auditor.get(f"{path}?format=csv").data.decode()
    assert "note: Half way" in told


def test_an_event_tells_what_it_changed_field_by_field(api: Api, voided: Answer) -> None:
    events = history(api, f"enrollments/{voided.json['id']}")
    number = events[3]["changes"][0]["after"]
    assert changes(events[1])["enrollment.percent"] == (0, 40)
    completed = changes(events[2])
    assert completed["enrollment.status"] == ("in_progress", "completed")
    assert completed["enrollment.score_percent"] == (None, 88)
    assert changes(events[3])["enrollment.certificate_number"] == (None, number)
    assert changes(events[4])["enrollment.grade"] == ("B", None)
    revoked = changes(events[5])
    assert revoked["certificate.status"] == ("issued", "revoked")
    assert revoked["enrollment.certificate_number"] == (number, None)


def test_a_program_tells_its_history_also_when_it_is_deleted(api: Api) -> None:
    program = api.published(title="First")
    path = f"programs/{program['id']}"
    body = {"code": program["code"], "title": "Second", "reason": "Renamed"}
    assert api.admin.put(path, body).status == 200
    assert api.admin.delete(path).status == 204
    events = history(api, path)
    assert [event["stored"]["topic"].split(".")[1] for event in events] == [
        "created",
        "published",
        "details_revised",
        "deleted",
    ]
    assert changes(events[2])["program.title"] == ("First", "Second")
    assert changes(events[3])["program.status"] == ("published", None)


@pytest.mark.parametrize(
    ("query", "versions"),
    [
        ("actor=instructor-1", [2, 3, 4]),
        ("type=enrollment.completed.v2,enrollment.enrolled.v1", [1, 3]),
        ("recorded_before=2000-01-01T00:00:00Z", []),
        ("recorded_from=2000-01-01T00:00:00Z&effective_from=2000-01-01T00:00:00Z", range(1, 7)),
        ("effective_from=2999-01-01T00:00:00Z", []),
    ],
)
def test_a_history_is_filtered(api: Api, voided: Answer, query: str, versions: Any) -> None:
    events = history(api, f"enrollments/{voided.json['id']}?{query}")
    assert [event["version"] for event in events] == list(versions)


def test_a_filtered_event_still_tells_what_it_changed(api: Api, voided: Answer) -> None:
    query = "type=enrollment.completed.v2"
    [event] = history(api, f"enrollments/{voided.json['id']}?{query}")
    assert changes(event)["enrollment.status"] == ("in_progress", "completed")


def test_a_history_comes_page_by_page(api: Api, voided: Answer) -> None:
    path: str | None = f"audit/enrollments/{voided.json['id']}?limit=4"
    versions = []
    while path:
        page = api.auditor.get(path).json
        assert page["total"] == 6
        versions.append([event["version"] for event in page["items"]])
        path = page["next"]
    assert versions == [[1, 2, 3, 4], [5, 6]]


def test_what_never_happened_has_no_history(api: Api, voided: Answer) -> None:
    assert api.auditor.get(f"audit/enrollments/{uuid4()}").status == 404
    assert api.auditor.get(f"audit/programs/{voided.json['id']}").status == 404
    assert api.auditor.get("audit/programs/nonsense").status == 404


@pytest.mark.parametrize("role", ["employee", "instructor", "hr_admin", "service"])
def test_auditors_alone_read_histories(api: Api, voided: Answer, role: str) -> None:
    assert api.role(role).get(f"audit/enrollments/{voided.json['id']}").status == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("type=enrollment.invented.v1", "type"),
        ("recorded_from=yesterday", "recorded_from"),
        ("cursor=abc", "cursor"),
        ("position=3", "position"),
    ],
)
def test_a_bad_filter_is_refused_by_name(api: Api, voided: Answer, query: str, field: str) -> None:
    answer = api.auditor.get(f"audit/enrollments/{voided.json['id']}?{query}")
    assert (answer.status, list(answer.broken)) == (422, [field])
