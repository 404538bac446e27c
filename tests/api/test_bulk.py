"""Many rows in one request: a result for each, and counts that add up."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Literal

from api.bulk_parts import PART_ROWS
from api.bulk_shapes import MAX_ROWS
from eventlog.answers import forget_answers
from tests.api.world import Answer, Api, Caller

Rows = list[dict[str, Any]]


def enroll(caller: Caller, rows: Rows, **options: Any) -> Answer:
    headers = options.pop("headers", {})
    return caller.post("enrollments:bulk", {"rows": rows, **options}, headers=headers)


def in_program(program: str, staff: list[str]) -> Rows:
    return [{"program_id": program, "employee_id": employee} for employee in staff]


def outcomes(answer: Answer) -> list[tuple[int, str]]:
    """Status and outcome of each row, when all adds up."""
    results = answer.json["results"]
    assert [result["index"] for result in results] == list(range(answer.json["rows"]))
    counted = Counter(result["outcome"] for result in results)
    assert {it: n for it, n in answer.json["counts"].items() if n} == counted
    for result in results:
        problem = result["problem"]
        if result["outcome"] == "refused":
            assert (problem["status"], problem["trace_id"]) == (
                result["status"],
                answer.headers["X-Request-Id"],
            )
    return [(result["status"], result["outcome"]) for result in results]


def transactions(api: Api) -> int:
    """How many transactions wrote to the log so far."""
    with api.pool.connection() as conn:
        query = "select count(distinct xmin::text) from rollbook.events"
        ((count,),) = conn.execute(query).fetchall()
    return int(count)


def test_each_row_has_its_result_and_one_that_is_refused_stops_no_other(api: Api) -> None:
    small, draft = api.published(capacity=2)["id"], api.drafted()["id"]
    ann, bob, cyd, dee = (api.hire() for _ in range(4))
    before = transactions(api)
    answer = enroll(
        api.admin,
        [
            *in_program(small, [ann]),
            *in_program(draft, [ann]),
            *in_program(small, [ann, bob, "nobody-at-all", cyd]),
            {"program_id": "no id", "employee_id": 7, "colour": "red"},
            {"program_id": small},
            *in_program(str(uuid4()), [dee]),
            *in_program(small, [dee]),
        ],
        reason="spring",
    )
    assert answer.status == 200
    assert outcomes(answer) == [
        (201, "enrolled"),
        (409, "refused"),
        (409, "refused"),
        (201, "enrolled"),
        (422, "refused"),
        (201, "waitlisted"),
        (422, "refused"),
        (422, "refused"),
        (404, "refused"),
        (201, "waitlisted"),
    ]
    results = answer.json["results"]
    codes = [result["problem"]["code"] for result in results if result["problem"]]
    assert codes == [
        "program_status",
        "duplicate_enrollment",
        "unknown_employee",
        "invalid_value",
        "invalid_value",
        "program_not_found",
    ]
    broken = {error["field"] for error in results[6]["problem"]["errors"]}
    assert broken == {"program_id", "employee_id", "colour"}
    assert transactions(api) == before + 1
    shown = api.admin.get(f"enrollments/{results[5]['enrollment_id']}", at_least=answer)
    assert (shown.json["employee_id"], shown.json["status"]) == (cyd, "waitlisted")
    assert results[5]["employee_id"] == cyd


def test_all_or_none_does_none_when_one_is_refused_and_says_which(api: Api) -> None:
    program = api.published(capacity=1)["id"]
    staff = [api.hire() for _ in range(3)]
    before = api.log_length()
    for bad in ("nobody-at-all", 7):
        rows = [*in_program(program, staff), {"program_id": program, "employee_id": bad}]
        refused = enroll(api.admin, rows, atomic=True)
        assert (refused.status, refused.json["code"]) == (409, "some_rows_refused")
        assert outcomes(refused) == [(424, "not_done")] * 3 + [(422, "refused")]
    assert api.log_length() == before
    done = enroll(api.admin, in_program(program, staff), atomic=True)
    assert outcomes(done) == [(201, "enrolled")] + [(201, "waitlisted")] * 2


def test_a_refusal_leaves_nothing_of_itself_in_the_log(api: Api) -> None:
    # The program admits before the enrollment refuses: it began later than this.
    program, (ann, bob) = api.published(capacity=3)["id"], (api.hire(), api.hire())
    path = f"enrollments/{api.enrolled(program, ann).json['id']}"
    api.admin.post(f"{path}/withdraw")
    before = api.log_length()
    long_ago = {"effective_at": "2020-01-01T00:00:00Z", "reason": "paper"}
    answer = enroll(api.admin, in_program(program, [ann, bob]), **long_ago)
    assert outcomes(answer) == [(422, "refused"), (201, "enrolled")]
    assert api.log_length() == before + 2
    shown = api.admin.get(f"programs/{program}", at_least=answer)
    assert shown.json["seats_taken"] == 1


def test_employees_enroll_themselves_alone(api: Api) -> None:
    program, ann = api.published()["id"], api.hire()
    rows = [*in_program(program, [api.hire()]), {"program_id": program}]
    answer = enroll(api.employee(ann), rows)
    assert outcomes(answer) == [(403, "refused"), (201, "enrolled")]


def test_progress_is_recorded_in_the_order_of_the_rows(api: Api) -> None:
    program = api.published()["id"]
    ann, bob = (api.enrolled(program, api.hire()).json["id"] for _ in range(2))
    rows = [
        {"enrollment_id": ann, "percent": 10, "note": "began"},
        {"enrollment_id": bob, "percent": 50},
        {"enrollment_id": ann, "percent": 60, "score_percent": 80},
        {"enrollment_id": ann, "percent": 20},
        {"enrollment_id": str(uuid4()), "percent": 20},
        {"enrollment_id": bob, "percent": 101},
        {"enrollment_id": bob, "percent": 50.005},
    ]
    answer = api.instructor.post("enrollments:bulk-progress", {"rows": rows})
    codes = [row["problem"] and row["problem"]["code"] for row in answer.json["results"]]
    assert codes == [
        *[None] * 3,
        "progress_falls",
        "enrollment_not_found",
        *["invalid_value"] * 2,
    ]
    assert answer.json["counts"] == {"recorded": 3, "refused": 4, "not_done": 0}
    outcomes(answer)
    for enrollment, percent in ((ann, 60), (bob, 50)):
        shown = api.admin.get(f"enrollments/{enrollment}", at_least=answer)
        assert (shown.json["percent"], shown.json["status"]) == (percent, "in_progress")


def test_progress_too_is_recorded_for_all_or_none(api: Api) -> None:
    enrolled = api.enrolled(api.published()["id"], api.hire())
    path = f"enrollments/{enrolled.json['id']}"
    rows = [{"enrollment_id": enrolled.json["id"], "percent": percent} for percent in (10, 5)]
    body = {"rows": rows, "atomic": True}
    refused = api.instructor.post("enrollments:bulk-progress", body)
    assert outcomes(refused) == [(424, "not_done"), (422, "refused")]
    shown = api.admin.get(path, at_least=enrolled).json
    assert (shown["version"], shown["percent"]) == (1, 0)


def staffed(api: Api, count: int) -> list[str]:
    """So many new employees."""
    names = [f"{uuid4()}" for _ in range(count)]
    with api.pool.connection() as conn, conn.cursor() as cursor:
        query = "insert into rollbook.employees (id, active, version) values (%s, true, 1)"
        cursor.executemany(query, [(name,) for name in names])
    return names


@pytest.mark.parametrize("atomic", [False, True])
def test_a_large_bulk_is_done_in_few_transactions_and_in_order(api: Api, atomic: bool) -> None:  # noqa: FBT001
    program, staff = api.published(capacity=100)["id"], staffed(api, 2 * PART_ROWS + 500)
    before = transactions(api)
    answer = enroll(api.admin, in_program(program, staff), atomic=atomic)
    assert outcomes(answer) == [(201, "enrolled")] * 100 + [(201, "waitlisted")] * 2_400
    assert transactions(api) == before + (1 if atomic else 3)
    assert list(waiting(api, program)) == staff[100:]


def test_the_rows_of_a_program_are_done_together_wherever_they_stand(api: Api) -> None:
    programs, staff = [api.published()["id"] for _ in range(2)], staffed(api, PART_ROWS)
    rows = [row for employee in staff for it in programs for row in in_program(it, [employee])]
    before = transactions(api)
    answer = enroll(api.admin, rows)
    assert outcomes(answer) == [(201, "enrolled")] * len(rows)
    assert [it["employee_id"] for it in answer.json["results"][::2]] == staff
    assert transactions(api) == before + 2
    with api.pool.connection() as conn:
        query = (
            "select count(distinct xmin::text) from rollbook.events"
            " where topic = 'enrollment.enrolled.v1' and state::jsonb ->> 'program_id' = %s"
        )
        for program in programs:
            assert conn.execute(query, (program,)).fetchall() == [(1,)]


def waiting(api: Api, program: str) -> list[str]:
    with api.pool.connection() as conn:
        query = (
            "select state::jsonb ->> 'employee_id' from rollbook.events"
            " where stream_id = %s and topic = 'program.employee_waitlisted.v1' order by position"
        )
        return [name for (name,) in conn.execute(query, (program,)).fetchall()]


@pytest.mark.parametrize("rows", [None, [], {}, [1], [[]], [{}] * (MAX_ROWS + 1)])
def test_rows_that_are_none_are_refused(api: Api, rows: object) -> None:
    refused = api.admin.post("enrollments:bulk", {"rows": rows})
    assert (refused.status, list(refused.broken)) == (422, ["rows"])


def test_the_larger_body_is_for_bulks_alone_and_bounded(api: Api) -> None:
    rows = [{"enrollment_id": str(uuid4()), "percent": 1, "note": "x" * 3_000}] * 500
    taken = api.admin.post("enrollments:bulk-progress", {"rows": rows})
    assert (taken.status, taken.json["counts"]["refused"]) == (200, 500)
    assert api.admin.post("enrollments", {"rows": rows}).status == 413
    assert api.admin.post("enrollments:bulk-progress", {"rows": rows * 3}).status == 413


def test_a_repeated_keyed_bulk_gets_the_first_answer(api: Api) -> None:
    program, staff = api.published(capacity=5)["id"], staffed(api, PART_ROWS + 10)
    rows, headers = in_program(program, staff), {"Idempotency-Key": str(uuid4())}
    first = enroll(api.admin, rows, headers=headers)
    before = api.log_length()
    again = enroll(api.admin, rows, headers=headers)
    assert (again.status, again.data) == (first.status, first.data)
    assert again.headers["Rollbook-Position"] == first.headers["Rollbook-Position"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert api.log_length() == before
    other = enroll(api.admin, rows[1:], headers=headers)
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    with api.pool.connection() as conn:
        assert [forget_answers(conn, staff[n]) for n in (0, 1, -1)] == [1, 0, 1]


def test_a_keyed_bulk_that_was_cut_off_goes_on_where_it_ended(empty_api: Api) -> None:
    api = empty_api
    program, staff = api.published(capacity=5)["id"], staffed(api, 2 * PART_ROWS)
    rows, headers = in_program(program, staff), {"Idempotency-Key": str(uuid4())}
    with psycopg.connect(api.url) as conn:
        conn.execute(SQL(STUMBLE).format(Literal(f"%{staff[PART_ROWS]}%")))
    cut_off = enroll(api.admin, rows, headers=headers)
    assert (cut_off.status, cut_off.json["code"]) == (500, "internal_error")
    # Without a key it is told what was done, and what was not.
    told = enroll(api.admin, rows)
    assert Counter(outcomes(told)) == {(409, "refused"): PART_ROWS, (500, "not_done"): PART_ROWS}
    with psycopg.connect(api.url) as conn:
        conn.execute("drop trigger stumble on rollbook.events")
    first = enroll(api.admin, rows, headers=headers)
    assert outcomes(first)[4:6] == [(201, "enrolled"), (201, "waitlisted")]
    assert enroll(api.admin, rows, headers=headers).data == first.data
    assert waiting(api, program) == staff[5:]


STUMBLE = """
create function rollbook.stumble() returns trigger language plpgsql as $body$
begin
    raise exception 'stumbled' using errcode = 'data_exception';
end
$body$;
create trigger stumble before insert on rollbook.events for each row
when (new.state::text like {}) execute function rollbook.stumble()
"""


def test_bulks_and_single_requests_that_meet_do_each_row_once(api: Api) -> None:
    programs = [api.published(capacity=5)["id"] for _ in range(3)]
    staff = [api.hire() for _ in range(12)]
    rows = [row for program in programs for row in in_program(program, staff)]

    def bulk(number: int) -> list[str]:
        mine = rows[number:] + rows[:number]
        return [result["outcome"] for result in enroll(api.admin, mine).json["results"]]

    def single(row: dict[str, Any]) -> list[str]:
        answer = api.admin.post("enrollments", row)
        return [answer.json["status"] if answer.status == 201 else "refused"]

    with ThreadPoolExecutor(6) as callers:
        bulks = [callers.submit(bulk, number) for number in (0, 12, 24)]
        singles = [callers.submit(single, row) for row in rows[::5]]
        told = Counter(it for each in [*bulks, *singles] for it in each.result())
    assert (told["enrolled"], told["waitlisted"]) == (15, 21)
    assert [len(waiting(api, program)) for program in programs] == [7] * 3
