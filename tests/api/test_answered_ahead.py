"""What is like a read that was answered before asks the tables at once, ahead of Flask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api import tracing
from api.policy import Policy
from eventlog.pool import open_pool
from projections.sight import Sight
from tests.api.test_asked_again import whole_ways
from tests.api.world import Answer, Api, Caller, running_api, token, unique
from tests.servers import Databases

ORIGIN = "https://hr.example"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OF_ONE_REQUEST = {"X-Request-Id", "Date"}


def forgetful(api: Api, **policy: Any) -> Api:
    """The API of a process that keeps no answers, and has answered nothing so far."""
    handed = replace(api.services, policy=Policy(kept_bytes=0, **policy), sight=Sight())
    return Api(handed, api.url)


def compared(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """All that must be the same whichever way it was answered."""
    headers = [header for header in answer.headers.items() if header[0] not in OF_ONE_REQUEST]
    return answer.status, sorted(headers), answer.data


@dataclass(frozen=True)
class Company:
    """Two of each kind, of which the first ones are asked for before the second ones."""

    api: Api
    programs: list[str]
    enrollments: list[str]
    certificates: list[str]
    people: list[str]

    def paths(self, which: int) -> list[str]:
        """Reads of all kinds about these."""
        program, enrollment = self.programs[which], self.enrollments[which]
        return [
            f"programs/{program}",
            f"programs/{program}?fields=title,seats_taken",
            f"programs/{program}/enrollments?sort=-began_at",
            f"programs/{program}/waitlist",
            f"enrollments/{enrollment}",
            f"enrollments/{enrollment}?include=program,employee,certificate",
            f"certificates/{self.certificates[which]}",
            f"employees/{self.people[which]}/transcript",
        ]


LISTS = [
    "programs",
    "programs?limit=1&sort=-title",
    "enrollments?limit=1&include=employee",
    "enrollments?status=enrolled,completed&fields=id,employee_id",
    "certificates?limit=1",
    "employees?limit=1",
    "me",
    "analytics/overview",
    "analytics/completion-rate",
]


CERTIFIED = {"offered": True, "issued": "automatically"}


@pytest.fixture(scope="module")
def company(databases: Databases) -> Iterator[Company]:
    """A company, of which the tables show all."""
    with databases.fresh() as url, running_api(url) as api:
        made = Company(api, [], [], [], [])
        for _ in range(2):
            program = api.published(capacity=2, certification=CERTIFIED)["id"]
            people = [api.hire() for _ in range(3)]
            [enrollment, *_] = [api.enrolled(program, one).json["id"] for one in people]
            done = api.admin.post(f"enrollments/{enrollment}/complete", {"score_percent": 90})
            shown = api.admin.get(f"enrollments/{enrollment}", at_least=done)
            made.programs.append(program)
            made.people.append(people[0])
            made.enrollments.append(enrollment)
            made.certificates.append(shown.json["certificate_number"])
        yield made


def ahead_of(api: Api, caller: Caller, path: str, **options: Any) -> Answer:
    """The answer to a request that must not come to Flask."""
    with whole_ways(api) as whole:
        answer = caller.get(path, **options)
    assert whole == []
    return answer


def another(api: Api, *roles: str, **who: Any) -> Caller:
    """Somebody else in these roles, whose token is known from another request."""
    caller = api.with_token(token(*roles, subject=unique("other"), **who))
    assert caller.get(f"programs?limit=1&q={unique('word')}").status == 200
    return caller


def test_another_of_its_kind_is_answered_as_the_whole_way_does(company: Company) -> None:
    api = forgetful(company.api)
    for first, second in zip(company.paths(0), company.paths(1), strict=True):
        assert api.admin.get(first).status == 200
        ahead = ahead_of(api, api.admin, second)
        assert compared(ahead) == compared(forgetful(company.api).admin.get(second))


@pytest.mark.parametrize("path", LISTS)
def test_the_same_for_another_caller_is_answered_as_the_whole_way_does(
    company: Company, path: str
) -> None:
    api = forgetful(company.api)
    api.admin.get(path)
    other = another(api, "hr_admin")
    ahead = ahead_of(api, other, path)
    ways = forgetful(company.api)
    assert compared(ahead) == compared(Caller(ways.app, ways.contract, other.bearer).get(path))


def test_each_page_of_a_list_is_answered_as_the_whole_way_does(company: Company) -> None:
    api = forgetful(company.api)
    path: str | None = "enrollments?limit=2&sort=began_at"
    pages = 0
    while path is not None:
        assert api.admin.get(path).status == 200
        ahead = ahead_of(api, api.admin, path)
        assert compared(ahead) == compared(forgetful(company.api).admin.get(path))
        path, pages = ahead.json["next"], pages + 1
    assert pages == 3


def test_an_employee_is_shown_nothing_of_another_one(company: Company) -> None:
    api = forgetful(company.api)
    one, other = (another(api, "employee", employee_id=person) for person in company.people)
    assert one.get(f"enrollments/{company.enrollments[0]}").status == 200
    assert other.get(f"enrollments/{company.enrollments[0]}").status == 404
    assert ahead_of(api, other, f"enrollments/{company.enrollments[1]}").status == 200
    assert len(one.get("enrollments").json["items"]) == 1
    [shown] = ahead_of(api, other, "enrollments").json["items"]
    assert shown["employee_id"] == company.people[1]
    # Another role may see more.
    assert len(another(api, "employee", "auditor").get("enrollments").json["items"]) == 6


def test_whoever_may_not_is_refused_though_others_may(company: Company) -> None:
    api = forgetful(company.api)
    refused = {"employees": "instructor", "enrollments?include=employee": "instructor"}
    for path, role in refused.items():
        assert [api.admin.get(path).status for _ in range(2)] == [200, 200]
        other = another(api, role)
        assert [other.get(path).status for _ in range(2)] == [403, 403]


def test_what_was_done_is_shown_and_what_the_caller_has_by_then_is_not_sent(
    empty_api: Api,
) -> None:
    api = forgetful(empty_api)
    last = empty_api.enrolled(empty_api.published()["id"], empty_api.hire())
    for path in (f"enrollments/{last.json['id']}", "enrollments"):
        before = empty_api.admin.get(path, at_least=last)
        api.admin.get(path)
        percent = before.json.get("percent", 0) + 7
        body = {"percent": percent}
        last = empty_api.admin.post(f"enrollments/{last.json['id']}/progress", body)
        empty_api.admin.get(path, at_least=last)
        Sight.outlive()
        after = ahead_of(api, api.admin, path)
        assert after.headers["ETag"] != before.headers["ETag"]
        assert after.headers["Rollbook-Position"] == last.headers["Rollbook-Position"]
        [shown] = after.json.get("items", [after.json])
        assert shown["percent"] == percent
        held = {"If-None-Match": after.headers["ETag"]}
        unchanged = ahead_of(api, api.admin, path, headers=held)
        assert compared(unchanged) == compared(forgetful(empty_api).admin.get(path, headers=held))
        assert (unchanged.status, unchanged.data) == (304, b"")


@pytest.mark.parametrize(
    "path", ["programs/00000000-0000-4000-8000-000000000000", "programs/what", "certificates/RB-1"]
)
def test_what_is_not_there_is_told_as_the_whole_way_does(company: Company, path: str) -> None:
    api = forgetful(company.api)
    for known in company.paths(0):
        api.admin.get(known)
    found, told = api.admin.get(path), forgetful(company.api).admin.get(path)
    assert (found.status, [*found.headers.keys()]) == (404, [*told.headers.keys()])
    assert found.json | {"trace_id": ""} == told.json | {"trace_id": ""}


def test_who_waits_for_a_position_is_shown_it_or_told_why_not(empty_api: Api) -> None:
    last = empty_api.enrolled(empty_api.published()["id"], empty_api.hire())
    path = f"enrollments/{last.json['id']}"
    for api in (forgetful(empty_api), empty_api):
        api.admin.get(path, at_least=last)
        for _ in range(20):
            percent = empty_api.admin.get(path, at_least=last).json["percent"] + 1
            last = empty_api.admin.post(f"{path}/progress", {"percent": percent})
            shown = ahead_of(api, api.admin, path, at_least=last)
            assert shown.json["percent"] == percent
            assert int(shown.headers["Rollbook-Position"]) >= int(last.headers["Rollbook-Position"])
        for position in ("99999999999", "x", "-1"):
            refused = api.admin.get(path, headers={"Rollbook-At-Least": position})
            assert (refused.status, [*refused.broken]) == (422, ["Rollbook-At-Least"])


def test_pages_of_one_origin_alone_may_read_it(company: Company) -> None:
    origins = (ORIGIN, "https://shop.example")
    api = forgetful(company.api, origins=origins)
    path = f"programs/{company.programs[0]}"
    for origin in (*origins, "https://evil.example"):
        asks = {"Origin": origin}
        first = api.admin.get(path, headers=asks)
        for other in (asks, asks | {"If-None-Match": first.headers["ETag"]}):
            ahead = ahead_of(api, api.admin, path, headers=other)
            whole = forgetful(company.api, origins=origins).admin.get(path, headers=other)
            assert compared(ahead) == compared(whole)
            let_in = origin if origin in origins else None
            assert ahead.headers.get("Access-Control-Allow-Origin") == let_in


def test_each_is_counted_once_whatever_comes_of_it(company: Company) -> None:
    api, left = forgetful(company.api, caller_requests=300), []
    there, gone = f"programs/{company.programs[0]}", "programs/00000000-0000-4000-8000-000000000000"
    for path in (there, there, gone, gone, there):
        told = api.admin.get(path).headers["RateLimit"]
        left.append(int(told.partition("r=")[2].partition(";")[0]))
    assert left == [299, 298, 297, 296, 295]


def test_it_waits_for_its_turn_as_all_do(company: Company) -> None:
    api = forgetful(company.api, requests_at_a_time=1, patience_seconds=0.1)
    path = f"programs/{company.programs[0]}"
    assert api.admin.get(path).status == 200
    turns = api.app.extensions["rollbook.load"].turns
    turns.take()
    turned_away = api.admin.get(path)
    assert (turned_away.status, turned_away.json["code"]) == (503, "overloaded")
    turns.give_back()
    for _ in range(3):
        assert ahead_of(api, api.admin, path).status == 200


def test_without_a_database_it_is_turned_away(company: Company) -> None:
    with open_pool(company.api.url, 2, patience_seconds=0.2) as pool:
        api = Api(replace(company.api.services, policy=Policy(kept_bytes=0), pool=pool), "")
        assert [api.admin.get("programs").status for _ in range(2)] == [200, 200]
    Sight.outlive()
    refused = api.admin.get("programs")
    assert (refused.status, refused.json["code"]) == (503, "unavailable")
    assert refused.headers["Cache-Control"] == "no-store"


def test_it_has_the_names_that_the_caller_gave_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    api, path = forgetful(company.api), f"programs/{company.programs[0]}"
    api.admin.get(path)
    named = {"X-Request-Id": "mine", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    assert ahead_of(api, api.admin, path, headers=named).headers["X-Request-Id"] == "mine"
    malformed = ahead_of(api, api.admin, path, headers={"X-Request-Id": "no good"})
    assert malformed.headers["X-Request-Id"] != "no good"
    [_, joined, own] = [one for one in spans.get_finished_spans() if one.name == "get_program"]
    assert joined.context is not None
    assert f"{joined.context.trace_id:032x}" == TRACE
    assert joined.attributes is not None
    assert joined.attributes["rollbook.correlation_id"] == "mine"
    assert own.start_time is not None
    assert own.end_time is not None
    assert own.end_time - own.start_time > 0
