"""What was shown in a state is given again from memory in that state, and in no other."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from threading import Event as Signal

import pytest

from api.identity import Identity
from api.kept_answers import LARGEST_SHARE, Asking, KeptAnswer, KeptAnswers
from api.shown import Shown
from projections.program_listing import PROGRAM_LISTING
from projections.sight import Sight, State
from projections.tables import ALL_TABLES
from tests.api.world import CODEC, Answer, Api, projecting, services_on
from tests.patience import eventually
from workers.rebuild import rebuild

ROOM_BYTES = 1 << 20


def alter_behind_the_back(api: Api, enrollment: str) -> None:
    """Change a row as no projector does, so that the state does not tell."""
    with api.pool.connection() as conn:
        update = "UPDATE rollbook_read.enrollment_listing SET percent = 99 WHERE id = %s"
        conn.execute(update, [enrollment])


def enrolled(api: Api) -> Answer:
    return api.enrolled(api.published()["id"], api.hire())


def percents(answer: Answer) -> list[int]:
    """Those of a list, or the one of a resource."""
    return [one["percent"] for one in answer.json.get("items", [answer.json])]


@pytest.mark.parametrize("path", ["enrollments/{id}", "enrollments?employee_id={employee_id}"])
def test_the_same_is_answered_from_memory_until_the_tables_are_others(
    empty_api: Api, path: str
) -> None:
    last = enrolled(empty_api)
    path = path.format(**last.json)
    empty_api.admin.get(path, at_least=last)
    first = empty_api.admin.get(path)
    alter_behind_the_back(empty_api, last.json["id"])
    again = empty_api.admin.get(path)
    assert again.json == first.json
    told = ("ETag", "Cache-Control", "Content-Type", "Rollbook-Position", "Vary")
    assert {n: again.headers.get(n) for n in told} == {n: first.headers.get(n) for n in told}
    # Other words for the same, another caller and another form are all asked for anew.
    assert percents(empty_api.admin.get(f"{path}{'&' if '?' in path else '?'}fields=percent")) == [
        99
    ]
    assert percents(empty_api.auditor.get(path)) == [99]
    rebuild(empty_api.url, CODEC, ALL_TABLES, Signal())
    assert empty_api.admin.get(path).json == first.json
    assert percents(empty_api.auditor.get(path)) == percents(first)


def test_events_employees_and_parked_rows_make_it_another_state(api: Api) -> None:
    last = enrolled(api)
    path = f"enrollments/{last.json['id']}"
    api.admin.get(path, at_least=last)
    api.admin.get(path)
    moved = api.admin.post(f"{path}/progress", {"percent": 7})
    assert percents(api.admin.get(path, at_least=moved)) == [7]
    assert percents(api.admin.get(path)) == [7]
    api.admin.put(f"employees/{last.json['employee_id']}", {"name": "Ute"})
    assert api.admin.get(path).json["employee_name"] == "Ute"
    alter_behind_the_back(api, last.json["id"])
    assert percents(api.admin.get(path)) == [7]
    with api.pool.connection() as conn:
        park = "INSERT INTO rollbook_read.parked (table_name, key, position) VALUES (%s, %s, 1)"
        conn.execute(park, ["enrollment_listing", last.json["id"]])
    Sight.outlive()
    held_up = api.admin.get(path)
    assert percents(held_up) == [99]
    assert held_up.headers["Rollbook-Held-Up"] == last.json["id"]
    assert api.admin.get(path).headers["Rollbook-Held-Up"] == last.json["id"]
    with api.pool.connection() as conn:
        conn.execute("DELETE FROM rollbook_read.parked")
    Sight.outlive()


def test_a_table_that_goes_on_alone_is_seen(database_url: str) -> None:
    with services_on(database_url) as services:
        api = Api(services, database_url)
        with projecting(database_url):
            last = enrolled(api)
            path = f"enrollments?program_id={last.json['program_id']}&include=program"
            before = api.admin.get(path, at_least=last)
        api.admin.get(path)
        # Nobody projects the others: the position that all have reached stays what it is.
        with projecting(database_url, [PROGRAM_LISTING]):
            program = f"programs/{last.json['program_id']}"
            assert api.admin.patch(program, {"title": "Another"}).status == 200
            eventually(lambda: api.admin.get(f"{program}?fields=title").json["title"] == "Another")
        held = {"If-None-Match": before.headers["ETag"]}
        for after in (api.admin.get(path), api.admin.get(path, headers=held)):
            assert after.status == 200
            assert after.headers["Rollbook-Position"] == before.headers["Rollbook-Position"]
            assert after.json["items"][0]["program"]["title"] == "Another"


def test_a_kept_resource_is_not_sent_to_whom_has_it(api: Api) -> None:
    last = enrolled(api)
    path = f"enrollments/{last.json['id']}"
    first = api.admin.get(path, at_least=last)
    for held in (first.headers["ETag"], f"W/{first.headers['ETag']}", "*"):
        again = api.admin.get(path, headers={"If-None-Match": held})
        assert (again.status, again.data) == (304, b"")
        for name in ("ETag", "Vary", "Cache-Control"):
            assert again.headers[name] == first.headers[name]


@pytest.mark.parametrize("kind", ["enrollments", "programs"])
def test_what_is_not_there_is_not_there_for_whoever_holds_anything(api: Api, kind: str) -> None:
    path = f"{kind}/00000000-0000-4000-8000-000000000000"
    for _ in range(2):
        assert api.admin.get(path, headers={"If-None-Match": "*"}).status == 404


def test_what_is_asked_of_the_past_is_logged_each_time(api: Api) -> None:
    last = enrolled(api)
    path = f"enrollments/{last.json['id']}?version=1"
    api.admin.get(f"enrollments/{last.json['id']}", at_least=last)

    def looks() -> int:
        employee = last.json["employee_id"]
        return len(api.auditor.get(f"audit/accesses?employee_id={employee}").json["items"])

    before = looks()
    for _ in range(3):
        assert api.auditor.get(path).status == 200
    assert looks() >= before + 3


def an_answer(word: object, body: bytes) -> KeptAnswer:
    nothing = Shown((), State(date.min, None, None, None, None, True, 0, 0))
    return KeptAnswer(asking(word), HTTPStatus.OK, [], body, nothing, "", "")


def asking(word: object) -> Asking:
    return Asking(Identity("x", (), None), "/", (word,))


def test_what_was_not_asked_for_longest_makes_room() -> None:
    answers = KeptAnswers(ROOM_BYTES)
    size = ROOM_BYTES // (2 * LARGEST_SHARE)
    for number in range(2 * LARGEST_SHARE):
        answers.keep(an_answer(number, bytes([number]) * size))
        assert answers.get(asking(0)) is not None
    kept = [n for n in range(2 * LARGEST_SHARE) if answers.get(asking(n)) is not None]
    assert 0 in kept
    assert len(kept) * size <= ROOM_BYTES < (len(kept) + 8) * size
    found = answers.get(asking(kept[-1]))
    assert found is not None
    assert found.body == bytes([kept[-1]]) * size


def test_what_is_too_large_is_not_kept() -> None:
    answers = KeptAnswers(ROOM_BYTES)
    answers.keep(an_answer("large", b"x" * (ROOM_BYTES // LARGEST_SHARE)))
    assert answers.get(asking("large")) is None
    long_word = "x" * (ROOM_BYTES // LARGEST_SHARE)
    answers.keep(an_answer(long_word, b"x"))
    assert answers.get(asking(long_word)) is None
    nothing = KeptAnswers(0)
    nothing.keep(an_answer("small", b"x"))
    assert nothing.get(asking("small")) is None
