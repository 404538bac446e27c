"""Searching the whole log: by person, program, actor, role, type, time and request."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.world import Answer, Api


def walked(api: Api, path: str, at_least: Answer | None = None) -> list[Any]:
    """The items of every page from `path` on, as `next` leads."""
    items: list[Any] = []
    following: str | None = f"audit/{path}"
    while following:
        answer = api.auditor.get(following, at_least=at_least)
        assert answer.status == 200, answer.data
        items += answer.json["items"]
        following = answer.json["next"]
    return items


def said(items: list[Any]) -> list[str]:
    return [item["stored"]["topic"].rpartition(".")[0] for item in items]


@pytest.fixture(scope="module")
def person(api: Api) -> str:
    return api.hire()


@pytest.fixture(scope="module")
def last(api: Api, person: str) -> Answer:
    """Somebody waits for a seat, gets it and completes; and withdraws from another program."""
    limited, other = api.published(capacity=1), api.published()
    first = api.enrolled(limited["id"], api.hire())
    waiting = api.enrolled(limited["id"], person)
    api.admin.post(f"enrollments/{first.json['id']}/withdraw")
    api.instructor.post(f"enrollments/{waiting.json['id']}/complete", {"score_percent": 70})
    enrolled = api.enrolled(other["id"], person)
    return api.admin.post(
        f"enrollments/{enrolled.json['id']}/withdraw",
        {"reason": "Left"},
        headers={"X-Request-Id": "leaving"},
    )


CONCERNING = [
    "program.employee_waitlisted",
    "enrollment.waitlisted",
    "program.employee_promoted",
    "enrollment.promoted",
    "enrollment.completed",
    "enrollment.enrolled",
    "enrollment.withdrawn",
]


def test_a_persons_history_goes_across_programs_and_names_seats_too(
    api: Api, person: str, last: Answer
) -> None:
    assert said(walked(api, f"employees/{person}", last)) == CONCERNING
    assert said(walked(api, f"employees/{person}?limit=2", last)) == CONCERNING


def test_each_event_on_any_page_tells_what_it_changed(api: Api, person: str, last: Answer) -> None:
    items = walked(api, f"employees/{person}?limit=1", last)
    changed = [{c["field"]: (c["before"], c["after"]) for c in item["changes"]} for item in items]
    assert changed[0]["turn"] == (None, 5)
    assert (changed[2]["seats_taken"], changed[2]["turn"]) == ((0, 1), (5, None))
    assert changed[3]["status"] == ("waitlisted", "enrolled")
    assert changed[4]["status"] == ("enrolled", "completed")


def test_a_person_who_is_in_no_directory_and_no_event_has_an_empty_history(api: Api) -> None:
    assert walked(api, "employees/nobody-ever") == []


def test_the_newest_come_first_unless_told_otherwise(api: Api, last: Answer) -> None:
    newest = api.auditor.get("audit/events?limit=3", at_least=last).json["items"]
    positions = [item["position"] for item in walked(api, "events?limit=7", last)]
    assert positions == sorted(positions, reverse=True)
    assert [item["position"] for item in newest] == positions[:3]
    by_effect = walked(api, "events?limit=7&effective_from=2000-01-01T00:00:00Z", last)
    times = [item["effective_at"] for item in by_effect]
    assert times == sorted(times, reverse=True)
    assert {item["position"] for item in by_effect} == set(positions)
    oldest_first = walked(api, "events?limit=7&sort=recorded_at", last)
    assert [item["position"] for item in oldest_first] == positions[::-1]
    assert len(positions) == api.log_length()


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("actor=instructor-1", lambda item: item["actor"] == "instructor-1"),
        ("role=instructor", lambda item: item["role"] == "instructor"),
        ("correlation_id=leaving", lambda item: item["correlation_id"] == "leaving"),
        (
            "type=program.published.v1,enrollment.completed.v2",
            lambda item: (
                item["stored"]["topic"] in {"program.published.v1", "enrollment.completed.v2"}
            ),
        ),
        ("recorded_before=2000-01-01T00:00:00Z", lambda _: False),
        (
            "recorded_from=2000-01-01T00:00:00Z&effective_before=2999-01-01T00:00:00Z",
            lambda _: True,
        ),
    ],
)
def test_a_search_finds_all_that_match_and_nothing_else(
    api: Api, last: Answer, query: str, holds: Any
) -> None:
    everything = walked(api, "events?limit=500", last)
    expected = [item["position"] for item in everything if holds(item)]
    assert [item["position"] for item in walked(api, f"events?{query}", last)] == expected


def test_a_program_is_found_with_all_that_happened_in_it(
    api: Api, person: str, last: Answer
) -> None:
    of_program = walked(api, f"events?program_id={last.json['program_id']}", last)
    assert said(of_program)[::-1] == [
        "program_code.claimed",
        "program.created",
        "program.published",
        "program.enrollments_began",
        "enrollment.enrolled",
        "enrollment.withdrawn",
    ]
    both = f"events?program_id={last.json['program_id']}&employee_id={person}"
    assert len(walked(api, both, last)) == 2
    assert walked(api, f"events?program_id={uuid4()}", last) == []
