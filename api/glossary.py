"""What inputs mean, and an example of each, wherever they stand in the description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NOTES = {
    "active": "Whether the employee works here now.",
    "actor": "Who did it.",
    "began_from": "Begun on this day or later (UTC); such a list is in the order of `began_at`.",
    "began_to": "Begun on this day or before (UTC).",
    "category": "The category, exactly. Several: repeated.",
    "certification_offered": "Whether a completion earns a certificate.",
    "correlation_id": "The `X-Request-Id` of the request that caused it.",
    "cursor": "Where the page begins: taken from `next`, never made up.",
    "deadline_from": "Enrollment ends on this day or later.",
    "deadline_to": "Enrollment ends on this day or before.",
    "delivery_mode": "How it is taught.",
    "department": "The department, exactly. Several: repeated.",
    "due_from": "Due on this day or later; such a list is in the order of `due_on`.",
    "due_to": "Due on this day or before.",
    "employee_id": "The employee's id, as the HR system has it. Several: repeated.",
    "ended_from": "Ended on this day or later (UTC); such a list is in the order of `ended_at`.",
    "ended_to": "Ended on this day or before (UTC).",
    "ends_from": "The last day is this one or later.",
    "ends_to": "The last day is this one or before.",
    "enrollment_id": "The enrollment's id.",
    "expiring_within_days": "Valid ones that end within so many days.",
    "figure": "The figure's name.",
    "has_free_seats": "Whether who enrolls gets a place.",
    "instructor": "Who teaches it, exactly. Several: repeated.",
    "issued_from": "Issued on this day or later (UTC).",
    "issued_to": "Issued on this day or before (UTC).",
    "level": "For whom it is.",
    "limit": "How many at most.",
    "manager": "The id of the manager. Several: repeated.",
    "mandatory": "Whether everybody must take part.",
    "min_programs": "Only employees with scores in so many programs.",
    "number": "The certificate's number.",
    "overdue": "Whether the due day has passed without an end.",
    "position": "A position in the log.",
    "program_id": "The program's id.",
    "provider": "Who offers it, exactly. Several: repeated.",
    "reader": "Who looked.",
    "role": "In which role it was done.",
    "score_max": "The final score is this at most.",
    "score_min": "The final score is at least this; the order is that of `score_percent`.",
    "size": "How many events the tree holds.",
    "status": "One of these; several with commas between, or repeated.",
    "starts_from": "The first day is this one or later.",
    "starts_to": "The first day is this one or before.",
    "tag": "One of the tags. Several: repeated; one of them is enough.",
    "to": "How many events the later tree holds.",
    "valid_until_from": "The last valid day is this one or later.",
    "valid_until_to": "The last valid day is this one or before.",
}
DAY = "2026-03-01"
MOMENT = "2026-03-01T09:30:00Z"
EXAMPLES: dict[str, Any] = {
    "Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    "If-Match": '"3"',
    "If-None-Match": "*",
    "Prefer": "wait=5",
    "Rollbook-At-Least": 17,
    "actor": "hr-1",
    "category": "Safety",
    "correlation_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "cursor": "WyJGaXJlIHNhZmV0eSIsMTddCg",
    "department": "Research",
    "employee_id": "ada",
    "enrollment_id": "7ef0c3f7-05a6-5b3f-9a3e-0d7d1f0d2f0a",
    "number": "RB-7K2QD-9XMVA-0RT4C-HWZ31",
    "program_id": "de33a2e1-7282-4e45-8d27-2ebae1b07db7",
    "q": "fire",
    "percent": 60,
    "reader": "auditor-1",
    "role": "hr_admin",
    "score_max": 80,
    "score_min": 60,
}
BODIES: dict[str, dict[str, Any]] = {
    "ProgramBody": {
        "code": "FIRE-1",
        "title": "Fire safety",
        "category": "Safety",
        "capacity": 20,
        "certification": {"offered": True, "issued": "automatically", "valid_for_months": 12},
    },
    "ProgramPatch": {"capacity": 25},
    "ActBody": {"reason": "Asked for by the head of the department."},
    "ReasonedBody": {"reason": "Recorded for the wrong person."},
    "EnrollBody": {"program_id": EXAMPLES["program_id"], "employee_id": "ada"},
    "ProgressBody": {"percent": 60, "note": "Missed the second day."},
    "CorrectBody": {"percent": 40, "reason": "A typing error."},
    "CompleteBody": {"score_percent": 88},
    "FailBody": {"score_percent": 31},
    "CertificateBody": {"enrollment_id": EXAMPLES["enrollment_id"]},
    "EmployeeBody": {"name": "Ada Byron", "department": "Research"},
    "EmployeePatch": {"department": "Training"},
}


def explain(document: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI `document` with a note and an example for every input."""
    for parameter in _parameters(document):
        name = parameter["name"]
        parameter.setdefault("description", NOTES.get(name) or _in_words(name))
        parameter.setdefault("example", _example(document, name, parameter["schema"]))
    for content in _bodies(document):
        content.setdefault("example", _example(document, "body", content["schema"]))
    return document


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield {"parameters": path.get("parameters", [])}
        yield from (operation for verb, operation in path.items() if verb != "parameters")


def _parameters(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for operation in _operations(document):
        yield from operation.get("parameters", [])


def _bodies(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for operation in _operations(document):
        yield from operation.get("requestBody", {}).get("content", {}).values()


def _in_words(name: str) -> str:
    return f"{name.replace('_', ' ').capitalize()}."


def _example(document: Mapping[str, Any], name: str, schema: Mapping[str, Any]) -> object:
    if "$ref" in schema:
        kind = schema["$ref"].rpartition("/")[2]
        found = document["components"]["schemas"][kind]
        return BODIES.get(kind) or _example(document, name, found)
    if "example" in schema:
        return schema["example"]
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    return _made_up(document, name, schema)


def _made_up(document: Mapping[str, Any], name: str, schema: Mapping[str, Any]) -> object:
    if "items" in schema:
        return [_example(document, name, schema["items"])]
    if "properties" in schema:
        fields = schema["properties"]
        return {n: _example(document, n, fields[n]) for n in schema.get("required", ())}
    kind = schema.get("format", schema.get("type"))
    made_up = {"boolean": True, "integer": schema.get("minimum"), "date": DAY, "date-time": MOMENT}
    return made_up.get(kind, EXAMPLES.get(name, "training"))
