"""Where one can go from an answer: from what was created to all that can be done with it."""

from __future__ import annotations

from typing import Any

from api.at_least import AT_LEAST
from api.shown import POSITION

CREATED = {
    "create_program": ("program_id", "$response.body#/id"),
    "enroll": ("enrollment_id", "$response.body#/id"),
    "issue_certificate": ("number", "$response.body#/number"),
}
"""The operations that create, by which id what they created is found, and where they answer it."""

METHODS = ("get", "post", "put", "patch", "delete")


def link(document: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI `document` with a link from each creation to each use of its id.

    A read waits until it shows what was created.
    """
    operations = {
        operation["operationId"]: (path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }
    for creation, (name, place) in CREATED.items():
        links = {
            target: {"operationId": target, "parameters": _parameters(operation, name, place)}
            for target, (path, operation) in operations.items()
            if f"{{{name}}}" in path
        }
        operations[creation][1]["responses"]["201"]["links"] = links
    return document


def _parameters(operation: dict[str, Any], name: str, place: str) -> dict[str, str]:
    waits = any(one.get("name") == AT_LEAST for one in operation.get("parameters", ()))
    header = {f"header.{AT_LEAST}": f"$response.header.{POSITION}"}
    return {f"path.{name}": place} | (header if waits else {})
