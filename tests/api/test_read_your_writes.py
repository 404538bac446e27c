"""Read your writes: a read waits for the position it is asked for, and never shows less."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from projections.sight import Sight
from tests.api.world import Api, services_on
from tests.servers import Databases


@pytest.fixture
def behind(databases: Databases) -> Iterator[Api]:
    """The API without a projector: nothing ever reaches the read tables."""
    with databases.fresh() as url, services_on(url) as services:
        yield Api(services, url)


def test_every_command_tells_its_position_and_every_read_what_it_shows(api: Api) -> None:
    drafted = api.admin.post("programs", {"code": "RYW", "title": "Ryw"})
    position = int(drafted.headers["Rollbook-Position"])
    shown = api.admin.get(f"programs/{drafted.json['id']}", at_least=drafted)
    assert shown.status == 200
    assert int(shown.headers["Rollbook-Position"]) >= position
    for path in ("programs", "enrollments", "certificates", "analytics"):
        answer = api.admin.get(path, at_least=drafted)
        assert int(answer.headers["Rollbook-Position"]) >= position


def test_again_and_again_a_read_shows_the_write_before_it(api: Api) -> None:
    path = f"enrollments/{api.enrolled(api.published()['id'], api.hire()).json['id']}"
    for step in range(1, 201):
        written = api.instructor.post(f"{path}/progress", {"percent": step / 2})
        shown = api.instructor.get(path, at_least=written)
        assert shown.json["percent"] == step / 2


def test_too_late_is_a_problem_and_never_an_old_answer(behind: Api) -> None:
    drafted = behind.admin.post("programs", {"code": "LATE", "title": "Late"})
    began = time.monotonic()
    late = behind.admin.get("programs", at_least=drafted, headers={"Prefer": "wait=0"})
    assert time.monotonic() - began < 2
    assert (late.status, late.json["code"]) == (503, "position_not_reached")
    assert late.headers["Retry-After"] == "1"
    assert late.json["position"] == int(drafted.headers["Rollbook-Position"])


def test_the_wait_is_two_seconds_unless_another_is_preferred(behind: Api) -> None:
    drafted = behind.admin.post("programs", {"code": "WAIT", "title": "Wait"})
    for prefer, least, most in (({}, 1.9, 3.0), ({"Prefer": "respond-async, wait=1"}, 0.9, 1.9)):
        began = time.monotonic()
        position = {"Rollbook-At-Least": drafted.headers["Rollbook-Position"]}
        late = behind.admin.get("programs", headers=position | prefer)
        assert late.status == 503
        assert least < time.monotonic() - began < most


def test_a_command_answers_without_any_projector(behind: Api) -> None:
    program = behind.published(capacity=1)
    assert (program["status"], program["seats_taken"]) == ("published", 0)
    enrolled = behind.enrolled(program["id"], behind.hire()).json
    path = f"enrollments/{enrolled['id']}"
    assert behind.instructor.post(f"{path}/progress", {"percent": 50}).json["percent"] == 50
    me = behind.hire()
    mine = behind.employee(me).post("enrollments", {"program_id": program["id"]})
    assert mine.json["status"] == "waitlisted"
    withdrawn = behind.employee(me).post(f"enrollments/{mine.json['id']}/withdraw")
    assert withdrawn.json["status"] == "withdrawn"


def test_rows_that_a_parked_event_holds_up_are_marked_where_they_are_shown(api: Api) -> None:
    first, second = (api.published()["id"] for _ in range(2))
    last = api.enrolled(second, api.hire())
    before = api.admin.get(f"programs/{first}", at_least=last)
    assert (before.status, "Rollbook-Held-Up" in before.headers) == (200, False)
    with api.pool.connection() as conn:
        conn.execute(
            "insert into rollbook_read.parked (table_name, key, position, error)"
            " values ('program_listing', %s, 1, 'cannot be applied')",
            (first,),
        )
        Sight.outlive()
        try:
            for path in (f"programs/{first}", "programs?limit=500"):
                assert api.admin.get(path).headers["Rollbook-Held-Up"] == first
            assert "Rollbook-Held-Up" not in api.admin.get(f"programs/{second}").headers
        finally:
            conn.execute("delete from rollbook_read.parked")
            Sight.outlive()
