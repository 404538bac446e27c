"""What schemathesis is told besides the description: ids that exist, and where they are found."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, MutableMapping
from typing import Any

import schemathesis
from hypothesis import strategies
from schemathesis import GenerationMode
from schemathesis.generation.meta import TestPhase

# RFC 9110, section 5.1: headers that are not known are passed over.
UNKNOWN_HEADER = "x-schemathesis-unknown-property"

KNOWN: dict[str, list[str]] = json.loads(os.environ.get("ROLLBOOK_FUZZ_IDS", "{}"))
"""Ids that exist, by the name under which operations take them."""

FOUND = {
    "create_program": {"program_id": "/id"},
    "enroll": {"enrollment_id": "/id"},
    "get_programs": {"program_id": "/items/*/id"},
    "get_program": {"program_id": "/id"},
    "get_enrollments": {
        "enrollment_id": "/items/*/id",
        "program_id": "/items/*/program_id",
        "employee_id": "/items/*/employee_id",
        "number": "/items/*/certificate_number",
    },
    "get_program_enrollments": {"enrollment_id": "/items/*/id"},
    "get_enrollment": {"enrollment_id": "/id"},
    "get_certificates": {"number": "/items/*/number", "enrollment_id": "/items/*/enrollment_id"},
    "get_employees": {"employee_id": "/items/*/id"},
    "put_employee": {"employee_id": "/id"},
    "get_me": {"employee_id": "/employee_id"},
}
"""Where answers show ids."""

GIVEN = {"enroll": "program_id", "issue_certificate": "enrollment_id"}
"""The operations that take an id in their body."""

# What no schema tells, so that nearly every guess is refused, whatever else is asked.
GUESSES = {
    "headers": ("If-Match", "If-None-Match", "Idempotency-Key", "Rollbook-At-Least"),
    "query": ("cursor", "as_of", "known_at", "version"),
    "body": ("effective_at", "currency", "cost", "ends_on", "enrollment_deadline"),
}

# What asks of a list no less than all.
ORDERS = {"sort", "limit"}

_shown: set[str] = set()


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:  # noqa: ARG001  # as schemathesis calls it
    """Leave out what differs from a good request by an unknown header alone."""
    return UNKNOWN_HEADER not in {name.lower() for name in (case.headers or {})}


@schemathesis.hook
def flatmap_case(context: Any, case: Any) -> Any:  # noqa: ARG001
    """Let half of the good requests, and all in a row of such, be about something that exists."""
    if case.meta.generation.mode != GenerationMode.POSITIVE:
        return strategies.just(case)
    is_likely = strategies.just(True) if _is_stateful(case) else strategies.booleans()
    return is_likely.flatmap(lambda likely: _likely(case) if likely else strategies.just(case))


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:  # noqa: ARG001
    """Remember the position that was answered, for reads that wait for it."""
    _shown.update(response.headers.get("rollbook-position", ()))


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:  # noqa: ARG001
    """Link what shows ids to all that takes them."""
    operations = {
        operation["operationId"]: (path, operation)
        for path, methods in raw_schema["paths"].items()
        for name, operation in methods.items()
        if name != "parameters"
    }
    for source, ids in FOUND.items():
        responses = operations[source][1]["responses"]
        for name, place in ids.items():
            links = dict(_links(operations, name, f"$response.body#{place}"))
            for status in {"200", "201"} & responses.keys():
                responses[status].setdefault("links", {}).update(links)


def _is_stateful(case: Any) -> bool:
    return bool(case.meta.phase.name == TestPhase.STATEFUL)


@strategies.composite
def _likely(draw: strategies.DrawFn, case: Any) -> Any:
    parts = {"headers": case.headers, "query": case.query, "body": case.body}
    for part, names in GUESSES.items():
        given = parts[part]
        for name in names if isinstance(given, MutableMapping) else ():
            if given.get(name) not in _shown:
                given.pop(name, None)
    places = [case.body]
    if _is_stateful(case):
        # What stands in the path comes from an answer before, so lists should have something.
        case.query = {name: given for name, given in (case.query or {}).items() if name in ORDERS}
    else:
        places.append(case.path_parameters)
    for place in places:
        for name in KNOWN.keys() & (place.keys() if isinstance(place, MutableMapping) else set()):
            place[name] = draw(strategies.sampled_from(KNOWN[name]))
    return case


def _links(operations: dict[str, Any], name: str, place: str) -> Iterator[tuple[str, Any]]:
    # What is guessed may have `*` in its place, for any item of a list.
    guessed = {"x-schemathesis": {"is_inferred": True}}
    for target, (path, _) in operations.items():
        link: dict[str, Any] = {"operationId": target} | guessed
        if f"{{{name}}}" in path:
            yield f"{target} by {name}", link | {"parameters": {f"path.{name}": place}}
        elif GIVEN.get(target) == name:
            yield f"{target} by {name}", link | {"requestBody": {name: place}}
