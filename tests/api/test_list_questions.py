"""The benchmark of lists asks for every filter and every order that is documented."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from benchmarks.list_questions import QUESTIONS, path_of
from tests.api.world import Api

SIZE = 10_000
# What says how much is shown of which rows, and as of when.
NO_FILTERS = {"cursor", "limit", "fields", "include", "format", "total", "as_of", "known_at"}
# These are asked by a benchmark of their own.
OF_AUDITORS = "/audit/"


def wanted(api: Api) -> set[tuple[str, str, str]]:
    """Each list, by its path without ids, with each of its filters, and each order both ways."""
    found = set()
    for method, path, operation in api.contract.operations():
        query = [one for one in operation.get("parameters", []) if one["in"] == "query"]
        parameters = {one["name"]: one for one in query}
        if method != "GET" or "cursor" not in parameters or OF_AUDITORS in path:
            continue
        alike = re.sub(r"\{.*?\}", "{}", path).removeprefix("/api/hr/training/").removeprefix("/")
        found.add((alike, "", ""))
        for name in parameters.keys() - NO_FILTERS - {"sort"}:
            found.add((alike, name, ""))
        if "sort" in parameters:
            orders = parameters["sort"]["schema"]["items"]["enum"]
            found |= {(alike, "sort", order) for order in orders}
    return found


def asked() -> set[tuple[str, str, str]]:
    """What the questions ask, in the same way."""
    found = set()
    for question in QUESTIONS:
        path, _, query = path_of(question, 1, SIZE).partition("?")
        alike = re.sub(r"^(programs)/[^/]+", r"\1/{}", path)
        found.add((alike, "", ""))
        for name, value in parse_qsl(query):
            orders = value.split(",") if name == "sort" else [""]
            found |= {(alike, name, order) for order in orders}
    return found


def test_the_benchmark_asks_for_every_filter_and_every_order(api: Api) -> None:
    documented = wanted(api)
    assert {("programs/{}/waitlist", "", ""), ("employees", "sort", "-id")} <= documented
    assert sorted(documented - asked()) == []
