"""What is kept of one resource stays right while others change, and no longer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.policy import Policy
from projections import recent_events
from projections.recent_events import RecentEvents
from projections.sight import Sight
from tests.api.test_asked_again import keeping, whole_ways
from tests.api.test_kept_answers import alter_behind_the_back, percents
from tests.api.world import Answer, Api, unique

LONG_REASON = {"reason": "to see what is still right"}


def another_place(api: Api) -> Answer:
    """An enrollment in a program of its own."""
    return api.enrolled(api.published()["id"], api.hire())


def shown(api: Api, path: str, last: Answer) -> Answer:
    """What is shown of a path once the process has seen the position of the last command."""
    # All tables of any resource; and asked with another position it has other words.
    assert api.admin.get("enrollments?limit=1&include=certificate", at_least=last).status == 200
    return api.admin.get(path)


def test_an_enrollment_is_kept_while_others_go_on(api: Api) -> None:
    last = another_place(api)
    path = f"enrollments/{last.json['id']}"
    people = [api.hire() for _ in range(3)]
    first = shown(api, path, last)
    alter_behind_the_back(api, last.json["id"])
    for one in people:
        last = api.enrolled(api.published()["id"], one)
        again = shown(api, path, last)
        assert percents(again) == percents(first)
        assert again.headers["ETag"] == first.headers["ETag"]
        assert int(again.headers["Rollbook-Position"]) >= int(last.headers["Rollbook-Position"])
        assert sorted(again.headers.keys()) == sorted(first.headers.keys())
    last = api.admin.post(f"{path}/progress", {"percent": 7})
    assert percents(shown(api, path, last)) == [7]


@pytest.mark.parametrize("include", ["", "?include=program"])
def test_an_enrollment_shows_a_new_title(api: Api, include: str) -> None:
    last = another_place(api)
    path, program = f"enrollments/{last.json['id']}{include}", last.json["program_id"]
    shown(api, path, last)
    last = api.admin.patch(f"programs/{program}", {"title": "Other words"})
    assert shown(api, path, last).json["program_title"] == "Other words"


def test_a_program_beside_an_enrollment_counts_the_others(api: Api) -> None:
    last = another_place(api)
    path, program = f"enrollments/{last.json['id']}?include=program", last.json["program_id"]
    shown(api, path, last)
    last = api.enrolled(program, api.hire())
    counts = shown(api, path, last).json["program"]["enrollment_counts"]
    assert counts["enrolled"] == 2


def test_a_program_is_kept_until_somebody_in_it_goes_on(api: Api) -> None:
    last = another_place(api)
    enrollment, path = f"enrollments/{last.json['id']}", f"programs/{last.json['program_id']}"
    other = another_place(api)
    shown(api, path, other)
    last = api.admin.post(f"enrollments/{other.json['id']}/complete")
    shown(api, "programs?limit=1", last)
    with whole_ways(api) as whole:
        api.admin.get(path)
    assert whole == []
    last = api.admin.post(f"{enrollment}/complete")
    assert shown(api, path, last).json["enrollment_counts"]["completed"] == 1


def test_what_happened_too_much_ago_to_be_known_is_asked_anew(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_events, "MOST_AT_ONCE", 3)
    other, last = api.published(), another_place(api)
    path = f"enrollments/{last.json['id']}"
    shown(api, path, last)
    alter_behind_the_back(api, last.json["id"])
    for _ in range(4):
        last = api.admin.patch(f"programs/{other['id']}", {"title": unique("Title")})
    assert percents(shown(api, path, last)) == [99]


@dataclass(frozen=True)
class Command:
    """A command on one of a few things, which may be refused."""

    name: str
    on: int


PROGRAM_COMMANDS = ("title", "publish", "close", "archive", "restore")
ENROLLMENT_COMMANDS = (
    "enroll", "progress", "correct", "complete", "fail", "withdraw", "void", "issue", "revoke",
)  # fmt: skip
PEOPLE_COMMANDS = ("rename", "erase")
PROGRAMS = 2
PEOPLE = 2

commands = st.one_of(
    st.builds(Command, st.sampled_from(PROGRAM_COMMANDS), st.integers(0, PROGRAMS - 1)),
    st.builds(Command, st.sampled_from(ENROLLMENT_COMMANDS), st.integers(0, PROGRAMS * PEOPLE - 1)),
    st.builds(Command, st.sampled_from(PEOPLE_COMMANDS), st.integers(0, PEOPLE - 1)),
)


class Few:
    """Two programs, of which one has a single seat, two people, and whatever comes of them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        offered = {"offered": True, "issued": "manually"}
        self.programs = [
            api.published(capacity=capacity, certification=offered)["id"] for capacity in (1, None)
        ]
        self.people = [api.hire() for _ in range(PEOPLE)]
        self.enrollments: dict[int, str] = {}
        self.certificates: dict[int, str] = {}
        self.titles = iter(range(1_000_000))

    @property
    def resources(self) -> list[str]:
        """Each single one that can be shown of it."""
        beside = ["", "?include=program,employee", "?fields=id,program_title"]
        return [
            *(f"programs/{one}" for one in self.programs),
            *(f"enrollments/{one}{how}" for one in self.enrollments.values() for how in beside),
            *(f"certificates/{one}{how}" for one in self.certificates.values() for how in beside),
        ]

    @property
    def lists(self) -> list[str]:
        """Lists of some of it, each of which other events leave as it is."""
        by = [f"program_id={one}" for one in self.programs]
        by += [f"employee_id={one}" for one in self.people]
        beside = ["", "&include=program", "&q=title&include=employee", "&category=second"]
        return [
            *(f"enrollments?{one}{how}" for one in by for how in (*beside, "&include=certificate")),
            *(f"certificates?{one}{how}" for one in by for how in ("", "&include=program")),
            *(f"programs/{one}/waitlist" for one in self.programs),
            *(f"employees/{one}/transcript" for one in self.people),
        ]

    def do(self, command: Command) -> Answer:
        """Do it, or have it refused."""
        return getattr(self, f"_{command.name}", self._act)(command)

    def _act(self, command: Command) -> Answer:
        if command.name in PROGRAM_COMMANDS:
            path = f"programs/{self.programs[command.on]}"
        elif command.on in self.enrollments:
            path = f"enrollments/{self.enrollments[command.on]}"
        else:
            return self._enroll(command)
        bodies: dict[str, dict[str, Any]] = {
            "progress": {"percent": 10},
            "correct": {"percent": 5, **LONG_REASON},
        }
        body = bodies.get(command.name, LONG_REASON)
        return self._api.admin.post(f"{path}/{command.name}", body)

    def _title(self, command: Command) -> Answer:
        number = next(self.titles)
        title = {"title": f"Title {number}", "category": ["first", "second"][number % 2]}
        return self._api.admin.patch(f"programs/{self.programs[command.on]}", title)

    def _enroll(self, command: Command) -> Answer:
        program, person = divmod(command.on, PEOPLE)
        body = {"program_id": self.programs[program], "employee_id": self.people[person]}
        answer = self._api.admin.post("enrollments", body)
        if answer.status == 201:
            self.enrollments[command.on] = answer.json["id"]
        return answer

    def _issue(self, command: Command) -> Answer:
        if command.on not in self.enrollments:
            return self._enroll(command)
        # Whoever has not completed it has none.
        self._act(replace(command, name="complete"))
        body = {"enrollment_id": self.enrollments[command.on]}
        answer = self._api.admin.post("certificates", body)
        if answer.status == 201:
            self.certificates[command.on] = answer.json["number"]
        return answer

    def _revoke(self, command: Command) -> Answer:
        if command.on not in self.certificates:
            return self._issue(command)
        path = f"certificates/{self.certificates[command.on]}/revoke"
        return self._api.admin.post(path, LONG_REASON)

    def _rename(self, command: Command) -> Answer:
        name = {"name": f"Name {next(self.titles)}"}
        return self._api.admin.put(f"employees/{self.people[command.on]}", name)

    def _erase(self, command: Command) -> Answer:
        return self._api.admin.post(f"employees/{self.people[command.on]}/erase", LONG_REASON)


def told(answer: Answer) -> tuple[int, dict[str, Any]]:
    """What is answered, but for what each request has of its own."""
    return answer.status, answer.json | {"trace_id": ""}


def forgetful(api: Api) -> Api:
    """The API as a process has it that keeps nothing."""
    return Api(replace(api.services, policy=Policy(), sight=Sight()), api.url)


@given(st.lists(commands, min_size=1, max_size=20))
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_happens_what_is_kept_is_what_is_there(api: Api, done: list[Command]) -> None:
    keeps, forgets, few = keeping(api), forgetful(api), Few(api)
    keeps = Api(replace(keeps.services, recent=RecentEvents()), api.url)
    last = api.enrolled(few.programs[1], api.hire())
    for command in done:
        answer = few.do(command)
        if "Rollbook-Position" in answer.headers:
            last = answer
        for one in (keeps, forgets):
            shown(one, "programs?limit=1", last)
        for path in (*few.resources, *few.lists):
            kept, there = keeps.admin.get(path), forgets.admin.get(path)
            assert told(kept) == told(there), (command, path)
            if path in few.resources:
                assert kept.headers.get("ETag") == there.headers.get("ETag")
        for path in ("me", "enrollments", "certificates", "enrollments?include=program"):
            for person in few.people:
                kept, there = (one.employee(person).get(path) for one in (keeps, forgets))
                assert told(kept) == told(there), (command, path)
