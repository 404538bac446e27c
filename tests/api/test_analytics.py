"""Figures over HTTP: what is counted, what is left out, and that nothing divides by nothing."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import pytest

from tests.api.world import Api


def figure(value: float | None, numerator: float, denominator: float, **left_out: int) -> Any:
    return {
        "value": value,
        "numerator": numerator,
        "denominator": denominator,
        "excluded": left_out,
        # Where it leads is the matter of test_audit_explain.py.
        "explanation": ANY,
    }


@pytest.fixture(scope="module")
def story(api: Api) -> dict[str, str]:
    """Two categories, ten enrollments with every outcome; names to ids."""
    offer = {"offered": True}
    safety = api.published(code="S", title="S", category="Safety", certification=offer)["id"]
    tiny = api.published(code="T", title="T", category="Safety", capacity=1)["id"]
    other = api.published(code="O", title="O")["id"]
    staff = {n: api.hire(name=n, department=f"D{i % 2}") for i, n in enumerate("abcdef")}
    path = {n: f"enrollments/{api.enrolled(safety, staff[n]).json['id']}" for n in "abcdef"}
    teach = api.instructor.post
    teach(f"{path['a']}/complete", {"score_percent": 90})
    teach(f"{path['b']}/complete", {"score_percent": 70})
    teach(f"{path['c']}/fail", {"score_percent": 10})
    teach(f"{path['d']}/progress", {"percent": 10})
    api.admin.post(f"{path['d']}/withdraw")
    api.admin.post(f"{path['e']}/withdraw")
    seat, waiting = (api.enrolled(tiny, staff[n]).json["id"] for n in "ab")
    teach(f"enrollments/{seat}/complete", {"score_percent": 70})
    done = api.enrolled(other, staff["b"]).json["id"]
    last = teach(f"enrollments/{done}/complete", {"score_percent": 90})
    api.admin.get("analytics", at_least=last)
    return {"safety": safety, "tiny": tiny, "other": other, "waiting": waiting, "last": done} | {
        f"employee {name}": employee for name, employee in staff.items()
    }


def test_the_overview_counts_everything_once(api: Api, story: dict[str, str]) -> None:
    assert story
    overview = api.admin.get("analytics/overview").json
    assert overview["programs"] == {
        "total": 3,
        "draft": 0,
        "published": 3,
        "closed": 0,
        "archived": 0,
    }
    assert overview["enrollments"] == {
        "total": 9,
        "waitlisted": 1,
        "enrolled": 1,
        "in_progress": 0,
        "completed": 4,
        "failed": 1,
        "withdrawn": 2,
    }
    assert overview["certificates"] == {
        "issued": 2,
        "valid": 2,
        "expired": 0,
        "revoked": 0,
        "expiring_within_30_days": 0,
    }
    # e withdrew before starting: cancelled, and left out like the one who waits.
    assert overview["completion_rate"] == figure(4 / 7, 4, 7, waitlisted=1, cancelled=1)
    closed_only = figure(4 / 6, 4, 6, open=1, waitlisted=1, cancelled=1)
    assert overview["completion_rate_closed_only"] == closed_only
    assert overview["pass_rate"] == figure(
        4 / 5, 4, 5, withdrawn=1, open=1, waitlisted=1, cancelled=1
    )
    assert overview["fill_rate"] == figure(1, 1, 1, unlimited_programs=2)
    assert api.admin.get("analytics").json == overview


def test_the_categories_add_up_to_the_overview(api: Api, story: dict[str, str]) -> None:
    assert story
    listed = api.admin.get("analytics/by-category").json
    assert [(c["category"], c["programs"]) for c in listed["items"]] == [("Safety", 2), (None, 1)]
    safety, without = listed["items"]
    assert safety["completion_rate"] == figure(3 / 6, 3, 6, waitlisted=1, cancelled=1)
    assert without["completion_rate"] == figure(1, 1, 1, waitlisted=0, cancelled=0)
    assert safety["enrollments"]["total"] + without["enrollments"]["total"] == 9
    assert (listed["total"], listed["next"]) == (2, None)


def test_the_statuses_have_their_shares(api: Api, story: dict[str, str]) -> None:
    assert story
    items = api.admin.get("analytics/by-status").json["items"]
    shares = {item["status"]: item["share"] for item in items}
    assert shares["completed"] == figure(4 / 9, 4, 9)
    assert sum(item["enrollments"] for item in items) == 9


def test_the_rate_of_a_program_category_or_department(api: Api, story: dict[str, str]) -> None:
    for query, numerator, denominator in (
        ("", 4, 7),
        (f"?program_id={story['safety']}", 2, 5),
        (f"?program_id={story['tiny']}", 1, 1),
        ("?category=Safety", 3, 6),
        ("?department=D0", 2, 3),
        ("?department=D1", 2, 4),
        ("?category=Safety&department=D1", 1, 3),
    ):
        answer = api.admin.get(f"analytics/completion-rate{query}").json
        rate = answer["completion_rate"]
        assert (rate["numerator"], rate["denominator"]) == (numerator, denominator), query
    assert answer["category"] == "Safety"


def test_an_empty_denominator_gives_null(api: Api, story: dict[str, str]) -> None:
    assert story
    answer = api.admin.get("analytics/completion-rate?category=Nothing").json
    assert answer["completion_rate"] == figure(None, 0, 0, waitlisted=0, cancelled=0)
    assert answer["pass_rate"]["value"] is None


def test_nothing_at_all_is_an_answer_too(empty_api: Api) -> None:
    for path in ("", "/overview"):
        overview = empty_api.admin.get(f"analytics{path}").json
        assert overview["completion_rate"]["value"] is None
        assert overview["fill_rate"] == figure(None, 0, 0, unlimited_programs=0)
        assert overview["programs"]["total"] == overview["enrollments"]["total"] == 0
    for path in ("by-category", "recent-completions", "top-performers"):
        empty = {"items": [], "total": 0, "next": None}
        assert empty_api.admin.get(f"analytics/{path}").json == empty
    statuses = empty_api.admin.get("analytics/by-status").json["items"]
    assert {item["share"]["value"] for item in statuses} == {None}


def test_the_latest_completions_come_first(api: Api, story: dict[str, str]) -> None:
    listed = api.admin.get("analytics/recent-completions?limit=2").json
    assert listed["items"][0]["enrollment_id"] == story["last"]
    assert (len(listed["items"]), listed["total"]) == (2, 4)
    assert listed["items"][0]["employee_name"] == "b"
    assert listed["items"][0]["program_title"] == "O"


def test_the_best_share_a_rank_when_they_are_as_good(api: Api, story: dict[str, str]) -> None:
    listed = api.admin.get("analytics/top-performers").json
    ranks = [(item["rank"], item["employee_name"]) for item in listed["items"]]
    assert ranks == [(1, "a"), (1, "b")]
    assert listed["items"][0]["mean_score_percent"] == figure(80, 160, 2)
    assert listed["total"] == 2
    assert api.admin.get("analytics/top-performers?min_programs=3").json["total"] == 0
    only = api.admin.get("analytics/top-performers?limit=1").json
    assert (len(only["items"]), only["total"]) == (1, 2)
    assert story


def test_figures_that_did_not_change_are_not_sent_again(empty_api: Api) -> None:
    last = empty_api.enrolled(empty_api.published()["id"], empty_api.hire())
    for path in ("analytics", "analytics/by-status", "analytics/completion-rate"):
        first = empty_api.admin.get(path, at_least=last)
        held = {"If-None-Match": first.headers["ETag"]}
        assert empty_api.admin.get(path, headers=held).status == 304
        assert empty_api.admin.get(path).json == first.json
        last = empty_api.enrolled(empty_api.published()["id"], empty_api.hire())
        changed = empty_api.admin.get(path, headers=held, at_least=last)
        assert (changed.status, changed.json != first.json) == (200, True)
