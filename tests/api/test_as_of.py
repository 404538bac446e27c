"""Asking of the past: what was so then, as far as it was known at another time."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.world import Answer, Api, Caller, unique

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
ENROLLED, TRAINED, ASKED = (NOW - days * DAY for days in (40, 20, 10))
YEAR = {"offered": True, "valid_for_months": 12, "issued": "automatically"}


def iso(moment: datetime) -> str:
    return moment.isoformat()


def then(moment: datetime) -> dict[str, str]:
    """What a late record says."""
    return {"effective_at": iso(moment), "reason": "the sheet came late"}


def now_recorded() -> str:
    """The present moment: what is recorded next is not known at it."""
    return iso(datetime.now(UTC))


class Story:
    """An employee was trained 20 days ago. That was recorded late, and voided in the end."""

    def __init__(self, api: Api) -> None:
        self.employee = employee = api.hire(department=unique("d"))
        self.program = api.published(category=unique("c"), certification=YEAR)["id"]
        body = {"program_id": self.program, "employee_id": employee, **then(ENROLLED)}
        self.before = now_recorded()
        self.id = api.admin.post("enrollments", body).json["id"]
        self.enrolled = now_recorded()
        completed = api.admin.post(f"enrollments/{self.id}/complete", then(TRAINED))
        assert completed.status == 200, completed.data
        self.number = completed.json["certificate_number"]
        self.completed = now_recorded()
        self.last = api.admin.post(f"enrollments/{self.id}/void", {"reason": "somebody else"})
        self.path = f"enrollments/{self.id}"


@pytest.fixture(scope="module")
def story(api: Api) -> Story:
    return Story(api)


def asked(caller: Caller, path: str, story: Story, **times: Any) -> Answer:
    return caller.get(path, story.last, query_string=times)


def test_a_late_record_is_what_differs_between_the_two_times(api: Api, story: Story) -> None:
    told = [
        asked(api.auditor, story.path, story, as_of=iso(ASKED), known_at=known)
        for known in (story.enrolled, story.completed)
    ]
    assert [answer.json["status"] for answer in told] == ["enrolled", "completed"]
    assert [answer.json["certificate_number"] for answer in told] == [None, story.number]


def test_a_correction_does_not_reach_back_before_it_took_effect(api: Api, story: Story) -> None:
    statuses = {
        as_of: asked(api.auditor, story.path, story, as_of=as_of).json["status"]
        for as_of in (iso(ENROLLED), iso(TRAINED), story.completed, now_recorded())
    }
    assert [*statuses.values()] == ["enrolled", "completed", "completed", "in_progress"]


def test_lists_tell_who_held_a_valid_certificate_on_a_day_as_known_on_another(
    api: Api, story: Story
) -> None:
    def numbers(as_of: str, known_at: str) -> list[str]:
        wanted = {"program_id": story.program, "status": "valid"}
        found = asked(
            api.auditor, "certificates", story, as_of=as_of, known_at=known_at, **wanted
        ).json
        assert found["total"] == len(found["items"])
        return [item["number"] for item in found["items"]]

    on_that_day = TRAINED.date().isoformat()
    assert numbers(on_that_day, story.enrolled) == []
    assert numbers(on_that_day, story.completed) == [story.number]
    assert numbers((TRAINED.date() - DAY).isoformat(), story.completed) == []
    assert numbers(now_recorded(), now_recorded()) == []


def test_figures_are_those_of_the_moment(api: Api, story: Story) -> None:
    def completed(**times: str) -> tuple[float, float]:
        rate = asked(
            api.instructor, "analytics/completion-rate", story, program_id=story.program, **times
        ).json["completion_rate"]
        return rate["numerator"], rate["denominator"]

    assert completed() == (0, 1)
    assert completed(as_of=iso(ASKED)) == (1, 1)
    assert completed(as_of=iso(ASKED), known_at=story.enrolled) == (0, 1)
    assert completed(as_of=iso(ENROLLED - DAY)) == (0, 0)
    assert completed(known_at=story.before) == (0, 0)


def without_links(answer: Answer) -> Any:
    """The answer without the links to explanations, which are of the moment that was asked."""
    return json.loads(re.sub(rb'"explanation":"[^"]*"', b'"explanation":null', answer.data))


def paths_of_the_past(api: Api) -> list[str]:
    """Those without ids that can be asked as of the past."""
    return [
        path
        for method, path, operation in api.contract.operations()
        if method == "GET" and "{" not in path
        if "as_of" in {parameter.get("name") for parameter in operation.get("parameters", ())}
    ]


def test_as_of_now_every_list_and_figure_is_that_of_the_present(api: Api, story: Story) -> None:
    paths = paths_of_the_past(api)
    assert len(paths) > 8
    today = datetime.now(UTC).date().isoformat()
    for path in paths:
        present = without_times(asked(api.auditor, path, story).json)
        for times in ({"as_of": now_recorded()}, {"as_of": today, "known_at": today}):
            assert without_times(asked(api.auditor, path, story, **times).json) == present


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-01T00:00:00Z"])
def test_on_the_first_day_that_there_is_there_was_nothing(api: Api, story: Story, day: str) -> None:
    for path in paths_of_the_past(api):
        for times in ({"as_of": day}, {"known_at": day}):
            answer = asked(api.auditor, path, story, **times)
            assert answer.status == 200, (path, times, answer.data)
    for filters in ({}, {"overdue": "true"}, {"overdue": "false"}):
        assert asked(api.auditor, "enrollments", story, as_of=day, **filters).json["total"] == 0


def without_times(document: Any) -> Any:
    """The document without the links to explanations, which are of its moment."""
    if isinstance(document, list):
        return [without_times(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {name: without_times(value) for name, value in document.items() if name != "explanation"}


def test_a_seat_given_back_before_it_was_taken_is_nobody_elses(api: Api) -> None:
    """A withdrawal may be backdated to an earlier time of the day of its enrollment."""
    day = ENROLLED.replace(hour=0)
    program = api.published(capacity=2, **then(day))["id"]
    for hour in (8, 12):
        hired = api.hire()
        enrolled = api.enrolled(program, hired, **then(day + timedelta(hours=hour)))
    earlier = then(day + timedelta(hours=10))
    withdrawn = api.admin.post(f"enrollments/{enrolled.json['id']}/withdraw", earlier)
    for hour, seats in ((7, 0), (9, 1), (11, 1), (13, 1)):
        times = {"as_of": iso(day + timedelta(hours=hour))}
        shown = api.admin.get(f"programs/{program}", withdrawn, query_string=times)
        assert shown.json["seats_taken"] == seats
        listed = {**times, "program_id": program, "status": "enrolled"}
        held = api.admin.get("enrollments", withdrawn, query_string=listed)
        assert held.json["total"] == seats


def test_a_transcript_is_that_of_the_moment(api: Api, story: Story) -> None:
    path = f"employees/{story.employee}/transcript"
    told = [
        [cycle["status"] for cycle in asked(api.auditor, path, story, **times).json["items"]]
        for times in (
            {},
            {"as_of": iso(ASKED)},
            {"as_of": iso(ASKED), "known_at": story.enrolled},
            {"as_of": iso(ENROLLED - DAY)},
        )
    ]
    assert told == [["in_progress"], ["completed"], ["enrolled"], []]


def test_every_version_of_a_resource_can_be_seen(api: Api, story: Story) -> None:
    def version(path: str, number: int) -> Any:
        return asked(api.auditor, path, story, version=number).json

    assert [version(story.path, n)["status"] for n in (1, 2, 3, 4)] == [
        "enrolled",
        "completed",
        "completed",
        "in_progress",
    ]
    assert [version(story.path, n)["version"] for n in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert version(f"certificates/{story.number}", 3)["status"] == "valid"
    assert version(f"certificates/{story.number}", 5)["status"] == "revoked"
    assert version(f"programs/{story.program}", 1)["status"] == "draft"


def test_an_answer_tells_both_times_and_its_position(api: Api, story: Story) -> None:
    day = TRAINED.date().isoformat()
    headers = asked(api.auditor, "enrollments", story, as_of=day).headers
    assert headers["Rollbook-As-Of"] == f"{day}T23:59:59.999999Z"
    assert headers["Rollbook-Known-At"] <= now_recorded()
    assert int(headers["Rollbook-Position"]) >= int(story.last.headers["Rollbook-Position"])
    only_known = asked(api.auditor, "enrollments", story, known_at=story.enrolled).headers
    assert only_known["Rollbook-As-Of"] == only_known["Rollbook-Known-At"]


def test_all_pages_of_a_list_are_as_of_one_moment(api: Api) -> None:
    api.published()
    last = api.admin.post("programs", {"code": unique("P"), "title": "Another"})
    today = datetime.now(UTC).date().isoformat()
    first = api.admin.get("programs", last, query_string={"as_of": today, "limit": 1})
    api.published()
    following = api.admin.get(first.json["next"])
    assert following.headers["Rollbook-As-Of"] == first.headers["Rollbook-As-Of"]
    assert following.json["total"] == first.json["total"]


def test_before_its_first_event_nothing_is_there(api: Api, story: Story) -> None:
    early = asked(api.auditor, story.path, story, as_of=iso(ENROLLED - DAY))
    assert (early.status, early.json["code"]) == (404, "enrollment_not_found")
    assert early.json["as_of"] in early.json["detail"]
    assert asked(api.auditor, story.path, story, known_at=story.before).status == 404
    missing = asked(api.auditor, story.path, story, version=99)
    assert missing.status == 404
    assert "version 99" in missing.json["detail"]


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"as_of": "2999-01-01"}, "as_of"),
        ({"known_at": "2999-01-01T00:00:00Z"}, "known_at"),
        ({"as_of": "2026-02-30"}, "as_of"),
        ({"as_of": "2026-03-31T09:00:00"}, "as_of"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"version": "0"}, "version"),
        ({"version": "1", "as_of": "2026-03-31"}, "version"),
    ],
)
def test_times_that_mean_nothing_are_refused(
    api: Api, story: Story, times: dict[str, str], field: str
) -> None:
    answer = asked(api.auditor, story.path, story, **times)
    assert (answer.status, [*answer.broken]) == (422, [field])


def test_what_was_known_is_for_auditors_and_figures_for_all_who_see_them(
    api: Api, story: Story
) -> None:
    known = {"known_at": story.completed}
    for path in (story.path, "enrollments", f"certificates/{story.number}"):
        assert asked(api.admin, path, story, as_of=iso(ASKED)).status == 200
        assert asked(api.admin, path, story, **known).status == 403
    assert asked(api.admin, story.path, story, version=1).status == 403
    assert asked(api.instructor, "analytics/overview", story, **known).status == 200


def test_a_look_at_what_was_known_is_logged_with_whom_it_showed(api: Api, story: Story) -> None:
    def latest() -> Any:
        return api.auditor.get("audit/accesses", query_string={"limit": 1}).json["items"][0]

    for path in (story.path, f"certificates/{story.number}", "enrollments"):
        wanted = {"program_id": story.program} if path == "enrollments" else {}
        times = {"as_of": iso(ASKED), "known_at": story.completed, **wanted}
        assert asked(api.auditor, path, story, **times).status == 200
        access = latest()
        assert path in access["asked_for"]
        assert access["employees"] == [story.employee]
        assert asked(api.admin, path, story, **times).status == 403
        refused = latest()
        assert (refused["reader"], refused["status"]) == ("hr_admin-1", 403)


def test_an_employee_sees_no_other_record_of_the_past_either(api: Api, story: Story) -> None:
    other = api.employee(api.hire())
    assert asked(other, story.path, story, as_of=iso(ASKED)).status == 404
    assert asked(other, "enrollments", story, as_of=iso(ASKED)).json["items"] == []
