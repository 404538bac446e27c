"""Explanations: from a row or a figure to the events behind it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.world import BASE, Answer, Api


@pytest.fixture(scope="module")
def last(api: Api) -> Answer:
    """Three programs of two categories, and every outcome there is."""
    safety = api.published(category="Safety", capacity=5, certification={"offered": True})
    other = api.published(category="Other")
    api.drafted(category="Safety")
    for number in range(8):
        employee = api.hire(department=f"D{number % 2}")
        for program in (safety, other):
            path = f"enrollments/{api.enrolled(program['id'], employee).json['id']}"
            if number in {1, 2, 3}:
                api.instructor.post(f"{path}/progress", {"percent": 40})
            if number == 2:
                api.instructor.post(f"{path}/complete", {"score_percent": 80})
            if number == 3:
                api.instructor.post(f"{path}/fail")
            if number == 1:
                api.admin.post(f"{path}/withdraw")
            if number == 4:
                api.admin.post(f"{path}/withdraw")
    [certificate] = api.admin.get(
        "certificates", at_least=api.admin.post(f"programs/{other['id']}/close")
    ).json["items"]
    api.admin.post(f"certificates/{certificate['id']}/revoke", {"reason": "Fraud"})
    api.admin.post(f"programs/{other['id']}/publish")
    deleted = api.drafted(category="Safety")["id"]
    api.admin.delete(f"programs/{deleted}")
    completed = api.enrolled(other["id"], api.hire()).json["id"]
    api.instructor.post(f"enrollments/{completed}/complete")
    return api.admin.post(f"enrollments/{completed}/void", {"reason": "Mistaken"})


def walked(api: Api, path: str) -> list[Any]:
    items: list[Any] = []
    following: str | None = path
    while following:
        answer = api.auditor.get(following)
        assert answer.status == 200, answer.data
        items += answer.json["items"]
        following = answer.json["next"]
    return items


def shown_as(row: dict[str, Any], shown: dict[str, Any]) -> bool:
    """Whether the fields that both have are the same."""
    return all(row[name] == shown[name] for name in row.keys() & shown.keys())


def test_the_events_behind_a_row_make_the_row_that_is_shown(api: Api, last: Answer) -> None:
    rows = api.admin.get("enrollments?limit=500", at_least=last).json["items"]
    assert len(rows) == 17
    for shown in rows:
        explained = api.auditor.get(f"audit/explain/enrollments/{shown['id']}").json
        assert shown_as(explained["row"], shown)
        assert explained["items"][-1]["version"] == shown["version"]


def test_each_field_leads_to_the_event_that_set_it(api: Api, last: Answer) -> None:
    path = f"audit/explain/enrollments/{last.json['id']}"
    explained = api.auditor.get(path).json
    voided = explained["items"][-1]
    assert explained["set_by"]["status"] == voided["position"]
    assert explained["set_by"]["program_id"] == explained["items"][0]["position"]
    [*_, of_field] = api.auditor.get(f"{path}?field=status").json["items"]
    assert of_field["position"] == voided["position"]
    refused = api.auditor.get(f"{path}?field=colour")
    assert (refused.status, list(refused.broken)) == (422, ["field"])


def test_a_certificate_leads_to_its_own_events_alone(api: Api, last: Answer) -> None:
    [shown] = api.admin.get("certificates", at_least=last).json["items"]
    explained = api.auditor.get(f"audit/explain/certificates/{shown['id']}").json
    assert [item["stored"]["topic"] for item in explained["items"]] == [
        "enrollment.certificate_issued.v1",
        "enrollment.certificate_revoked.v1",
    ]
    assert explained["row"]["status"] == "revoked"
    assert {change["resource"] for item in explained["items"] for change in item["changes"]} == {
        "certificate"
    }


def test_a_program_is_explained_also_when_it_is_gone(api: Api, last: Answer) -> None:
    events = api.auditor.get("audit/events?type=program.deleted.v1", at_least=last).json["items"]
    explained = api.auditor.get(f"audit/explain/programs/{events[0]['stream_id']}").json
    assert (explained["row"], explained["total"]) == (None, 2)


def test_what_never_was_is_not_explained(api: Api) -> None:
    for path in (
        f"programs/{uuid4()}",
        f"enrollments/{uuid4()}",
        "certificates/RB-7K2QD-9XMVA-0RT4C-HWZ31",
        "figures/luck",
    ):
        assert api.auditor.get(f"audit/explain/{path}").status == 404


SCOPES = ("", "category=Safety", "category=Other&department=D0", "department=D1")


@pytest.mark.parametrize("scope", SCOPES)
def test_the_rows_behind_every_rate_are_as_many_as_the_rate_says(
    api: Api, last: Answer, scope: str
) -> None:
    rates = api.admin.get(f"analytics/completion-rate?{scope}", at_least=last).json
    for figure in ("completion_rate", "completion_rate_closed_only", "pass_rate"):
        told = rates[figure]
        told |= told.pop("excluded")
        assert told.pop("explanation")
        path = f"audit/explain/figures/{figure}?{scope}&limit=4"
        explained = api.auditor.get(path).json
        assert explained["value"] == told.pop("value")
        assert explained["numbers"] == told
        for part, number in told.items():
            assert len(walked(api, f"{path}&part={part}")) == number, (figure, part)


def test_the_rows_behind_every_other_figure_add_up_to_it(api: Api, last: Answer) -> None:
    overview = api.admin.get("analytics/overview", at_least=last).json
    fill = overview["fill_rate"]
    figures = {
        "enrollments": overview["enrollments"],
        "programs": overview["programs"],
        "certificates": overview["certificates"],
        "fill_rate": fill | fill["excluded"],
    }
    for figure, numbers in figures.items():
        path = f"audit/explain/figures/{figure}"
        explained = api.auditor.get(path).json
        for part, number in explained["numbers"].items():
            assert number == numbers[part], (figure, part)
            items = walked(api, f"{path}?part={part}&limit=3")
            assert sum(item["amount"] for item in items) == number, (figure, part)


def figures_in(document: Any) -> list[dict[str, Any]]:
    """Every figure in a part of an answer, however deep."""
    if isinstance(document, list):
        return [figure for item in document for figure in figures_in(item)]
    if not isinstance(document, dict):
        return []
    if "explanation" in document:
        return [document]
    return [figure for value in document.values() for figure in figures_in(value)]


@pytest.mark.parametrize(
    "path",
    [
        "overview",
        "by-category",
        "by-status",
        "completion-rate?category=Safety&department=D1",
        "top-performers",
    ],
)
def test_every_figure_leads_to_its_own_explanation(api: Api, last: Answer, path: str) -> None:
    figures = figures_in(api.admin.get(f"analytics/{path}", at_least=last).json)
    assert figures
    for figure in figures:
        explained = api.auditor.get(figure["explanation"]).json
        if "part=" in figure["explanation"]:
            assert explained["numbers"][explained["part"]] == figure["numerator"]
        else:
            assert explained["value"] == figure["value"]
            assert explained["numbers"]["denominator"] == figure["denominator"]


def test_a_mean_score_leads_to_the_enrollments_that_gave_the_scores(api: Api, last: Answer) -> None:
    top = api.admin.get("analytics/top-performers", at_least=last).json["items"][0]
    items = walked(api, top["mean_score_percent"]["explanation"])
    assert [item["amount"] for item in items] == [80, 80]
    assert {item["decided_by"]["stored"]["topic"] for item in items} == {"enrollment.completed.v2"}


def test_a_figure_of_the_past_leads_to_the_rows_and_events_of_then(api: Api, last: Answer) -> None:
    enrollment = f"audit/enrollments/{last.json['id']}"
    before = api.auditor.get(enrollment).json["items"][0]["recorded_at"]
    path = f"analytics/completion-rate?as_of={before}&known_at={before}"
    rate = api.admin.get(path, at_least=last).json["completion_rate"]
    now = api.admin.get("analytics/completion-rate").json["completion_rate"]
    assert rate["denominator"] > now["denominator"] - 2
    items = walked(api, f"{rate['explanation']}&part=denominator&limit=5")
    assert len(items) == rate["denominator"]
    [item] = [item for item in items if item["key"] == last.json["id"]]
    assert item["decided_by"]["stored"]["topic"] == "enrollment.enrolled.v1"


@pytest.mark.usefixtures("last")
def test_a_row_behind_a_figure_comes_with_the_event_that_decided_it(api: Api) -> None:
    path = "audit/explain/figures/completion_rate?category=Safety"
    [item] = walked(api, path)
    assert item["decided_by"]["stored"]["topic"] == "enrollment.completed.v2"
    explained = api.auditor.get(item["explanation"]).json
    assert explained["row"]["id"] == item["key"]
    cancelled = walked(api, "audit/explain/figures/completion_rate?part=cancelled")
    assert {item["decided_by"]["stored"]["topic"] for item in cancelled} == {
        "enrollment.withdrawn.v1"
    }
    employees = {item["decided_by"]["changes"][0]["key"] for item in cancelled}
    assert len(employees) == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("completion_rate?part=luck", "part"),
        ("programs?department=D1", "department"),
        ("mean_score_percent", "employee_id"),
    ],
)
def test_what_a_figure_does_not_have_is_refused(api: Api, query: str, field: str) -> None:
    answer = api.auditor.get(f"audit/explain/figures/{query}")
    assert (answer.status, list(answer.broken)) == (422, [field])


def test_explaining_is_logged_with_whose_data_was_shown(api: Api, last: Answer) -> None:
    api.auditor.get(f"audit/explain/enrollments/{last.json['id']}")
    [access] = api.auditor.get("audit/accesses?limit=1").json["items"]
    assert access["employees"] == [last.json["employee_id"]]
    assert access["asked_for"] == f"{BASE}/audit/explain/enrollments/{last.json['id']}"
