"""Lists: filters, orders and pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from projections import keyset
from tests.api.world import Answer, Api


def pages(api: Api, path: str) -> Iterator[Any]:
    """Every page from `path` on, as `next` leads."""
    following: str | None = path
    while following is not None:
        page = api.admin.get(following).json
        yield page
        following = page["next"]


def walked(api: Api, path: str) -> list[Any]:
    return [item for page in pages(api, path) for item in page["items"]]


@pytest.fixture(scope="module")
def filled(api: Api) -> Answer:
    """Eight programs, seven employees, and their enrollments; the last command."""
    levels = ("beginner", "intermediate", "advanced", None)
    programs = [
        api.published(
            code=f"L-{i}",
            # Two share a title, and two are odd to a pattern.
            title=("Alike", "Alike", "100% sure", "under_score", "E", "F", "G", "H")[i],
            category="Even" if i % 2 == 0 else "Odd",
            level=levels[i % 4],
            delivery_mode="online" if i < 4 else "classroom",
            mandatory=i < 2,
            certification={"offered": True},
        )["id"]
        for i in range(8)
    ]
    staff = [api.hire(department=f"D{i % 2}") for i in range(7)]
    for number, employee in enumerate(staff):
        for i, program in enumerate(programs[:3]):
            # Past, far and missing due days.
            due_on = ("2020-01-01", "2999-01-01", None)[i]
            last = api.enrolled(program, employee, due_on=due_on)
            if number < 3:
                last = api.admin.post(f"enrollments/{last.json['id']}/complete")
    return last


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("programs?sort=title&limit=3", 8),
        ("programs?sort=-title&limit=3", 8),
        ("programs?sort=code&limit=1", 8),
        ("programs?sort=-created_at&limit=7", 8),
        ("enrollments?sort=began_at&limit=4", 21),
        ("enrollments?sort=-began_at&limit=20", 21),
        ("enrollments?sort=due_on&limit=5", 21),
        ("enrollments?sort=-due_on&limit=21", 21),
        ("certificates?sort=issued_at&limit=2", 9),
        ("certificates?sort=-valid_until&limit=2", 9),
        ("employees?sort=name&limit=2", 7),
        ("employees?sort=-id&limit=3", 7),
    ],
)
def test_walking_all_pages_gives_every_item_once_and_in_order(
    api: Api, filled: Answer, path: str, count: int
) -> None:
    api.admin.get("enrollments", at_least=filled)
    api.admin.get("certificates", at_least=filled)
    items = walked(api, path)
    assert len({item["id"] for item in items}) == len(items) == count
    assert {page["total"] for page in pages(api, path)} == {count}
    resource, _, rest = path.partition("?")
    whole = api.admin.get(f"{resource}?{rest.rsplit('&', 1)[0]}&limit=500").json
    assert (whole["items"], whole["next"]) == (items, None)


def test_a_page_stays_right_while_rows_come_and_go(empty_api: Api) -> None:
    admin = empty_api.admin
    for i in range(6):
        made = admin.post("programs", {"code": f"M{i}", "title": f"M{i}"})
    first = admin.get("programs?sort=title&limit=3", at_least=made).json
    # One before the page boundary goes, and one comes.
    admin.delete(f"programs/{first['items'][0]['id']}")
    last = admin.post("programs", {"code": "M-NEW", "title": "M0a"})
    second = admin.get(first["next"], at_least=last).json
    assert [item["title"] for item in first["items"] + second["items"]] == [
        f"M{i}" for i in range(6)
    ]


FILTERS = [
    ("programs", 8),
    ("programs?category=Even", 4),
    ("programs?level=beginner", 2),
    ("programs?delivery_mode=classroom", 4),
    ("programs?mandatory=true", 2),
    ("programs?mandatory=false", 6),
    ("programs?status=published&status=draft", 8),
    ("programs?status=draft,closed", 0),
    ("programs?q=alike", 2),
    ("programs?q=l-3", 1),
    ("programs?q=even", 4),
    ("programs?q=100%25", 1),
    ("programs?q=UNDER_", 1),
    ("programs?q=even+ali", 1),
    ("programs?q=like", 0),
    ("programs?category=Even&mandatory=true", 1),
    ("enrollments", 21),
    ("enrollments?status=completed", 9),
    ("enrollments?status=completed,enrolled", 21),
    ("enrollments?status=completed&status=completed", 9),
    ("enrollments?status=withdrawn", 0),
    ("enrollments?department=D0", 12),
    ("enrollments?department=D0&status=completed", 6),
    ("enrollments?department=Nowhere", 0),
    ("enrollments?category=Even", 14),
    ("enrollments?category=Odd&status=enrolled", 4),
    ("enrollments?category=Even&department=D0", 8),
    ("enrollments?category=Even&department=D0&sort=employee_id", 8),
    ("enrollments?overdue=true", 4),
    ("enrollments?overdue=false", 17),
    ("enrollments?overdue=false&sort=-due_on", 17),
    ("enrollments?overdue=false&status=enrolled", 8),
    ("enrollments?overdue=true&category=Even", 4),
    ("enrollments?overdue=false&category=Even", 10),
    ("enrollments?overdue=false&q=name", 17),
    ("enrollments?overdue=false&ended_from=2000-01-01", 9),
    ("enrollments?overdue=true&status=completed", 0),
    ("enrollments?overdue=true&score_min=0", 0),
    ("enrollments?status=enrolled&ended_from=2000-01-01", 0),
    ("enrollments?category=Even&began_from=2000-01-01", 14),
    ("enrollments?category=Even&department=D0&began_from=2000-01-01", 8),
    # A program by its category, and every employee: each enrollment counts once.
    ("enrollments?q=even", 14),
    ("enrollments?q=even&department=D0&status=completed", 4),
    ("enrollments?q=name", 21),
    ("enrollments?q=name&category=Even", 14),
    ("enrollments?due_from=2000-01-01&sort=-due_on,employee_id", 14),
    ("enrollments?ended_from=2000-01-01&category=Odd", 3),
    ("enrollments?department=D0&sort=-employee_id", 12),
    ("enrollments?category=Even&sort=employee_id&status=completed", 6),
    ("certificates", 9),
    ("certificates?status=valid", 9),
    ("certificates?status=revoked,expired", 0),
    ("certificates?status=revoked,valid", 9),
    ("certificates?status=valid&issued_from=2000-01-01", 9),
    ("employees?department=D1", 3),
    ("employees?active=true", 7),
    ("employees?active=false", 0),
    ("employees?q=name", 7),
    ("employees?q=name&sort=-id", 7),
    ("employees?q=name&department=D1&active=true", 3),
]
"""What is asked, and how many there are."""


@pytest.mark.parametrize(("path", "total"), FILTERS)
def test_a_filter_gives_what_it_says_and_the_total_agrees(
    listed: Api, path: str, total: int
) -> None:
    found = listed.admin.get(path).json
    assert (len(found["items"]), found["total"]) == (total, total)


@pytest.mark.parametrize(("path", "total"), FILTERS)
def test_what_is_too_much_to_count_is_counted_for_who_asks_for_that(
    listed: Api, path: str, total: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "MAX_COUNTED", -1)
    path = f"{path}{'&' if '?' in path else '?'}limit=1"
    assert listed.admin.get(path).json["total"] in {total, None}
    counted = listed.admin.get(f"{path}&total=exact").json
    assert counted["total"] == total
    if counted["next"] is not None:
        assert listed.admin.get(counted["next"]).json["total"] == total


def test_of_some_there_is_no_total_where_nobody_asks(
    listed: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "MAX_COUNTED", 2)
    too_fine = "category=Even&department=D0&began_from=2000-01-01"
    for asked in (too_fine, "q=name"):
        # In words of its own, as what was asked before may be kept.
        path = f"enrollments?{asked}&limit=7"
        assert listed.admin.get(path).json["total"] is None
        assert listed.admin.get(f"{path}&total=exact").json["total"] > 2


@pytest.fixture(scope="module")
def listed(api: Api, filled: Answer) -> Api:
    for resource in ("programs", "enrollments", "certificates"):
        api.admin.get(resource, at_least=filled)
    return api


def test_filters_by_program_and_employee_agree_with_the_rows(
    listed: Api,
) -> None:
    api = listed
    for item in walked(api, "enrollments?limit=500"):
        for field in ("program_id", "employee_id"):
            found = api.admin.get(f"enrollments?{field}={item[field]}&limit=500").json
            assert {row[field] for row in found["items"]} == {item[field]}
            assert found["total"] == len(found["items"])


def test_the_next_page_keeps_the_filters(listed: Api) -> None:
    page = listed.admin.get("enrollments?status=enrolled,completed&department=D0&limit=2").json
    assert page["next"].startswith("/api/hr/training/enrollments?")
    following = listed.admin.get(page["next"]).json
    assert {item["department"] for item in following["items"]} == {"D0"}


def test_a_cursor_of_another_order_or_list_is_refused(listed: Api) -> None:
    page = listed.admin.get("enrollments?sort=began_at&limit=1").json
    cursor = page["next"].rpartition("cursor=")[2]
    for path in ("enrollments?sort=-began_at", "enrollments?sort=due_on", "certificates"):
        separator = "&" if "?" in path else "?"
        answer = listed.admin.get(f"{path}{separator}cursor={cursor}")
        assert (answer.status, list(answer.broken)) == (422, ["cursor"])


@pytest.mark.parametrize("sort", ["due_on", "-due_on", "ended_at", "-ended_at"])
def test_what_is_alike_is_sorted_by_its_beginning(listed: Api, sort: str) -> None:
    found = walked(listed, f"enrollments?sort={sort}&limit=4")
    assert len(found) == 21
    places = [_place(item, sort.removeprefix("-")) for item in found]
    assert places == sorted(places, reverse=sort.startswith("-"))


def _place(item: Any, name: str) -> tuple[str, datetime, str]:
    # What has none of it comes behind all others.
    return item[name] or "9999", datetime.fromisoformat(item["began_at"]), item["id"]


def test_an_empty_list_is_a_list(listed: Api) -> None:
    answer = listed.admin.get("programs?category=Nothing")
    assert answer.json == {"items": [], "total": 0, "next": None}
