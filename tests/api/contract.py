"""Holds real answers to the published description."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker

PROBLEM = "application/problem+json"


class Contract:
    """What the OpenAPI description of an app promises."""

    def __init__(self, app: Flask) -> None:
        self.document: dict[str, Any] = json.loads(
            app.test_client().get("/api/hr/training/openapi.json").data
        )
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in self.document["paths"]
        ]

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Method, path template and description of every operation."""
        for path, operations in self.document["paths"].items():
            for method, operation in operations.items():
                if method != "parameters":
                    yield method.upper(), path, operation

    def schema(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.document["components"]["schemas"][name]
        return found

    def hold(self, method: str, url: str, status: int, kind: str, data: bytes) -> None:
        """Fail when the answer is not as described. Paths that are not described pass."""
        operation = self._operation(method, url.partition("?")[0])
        if operation is None:
            return
        responses = operation["responses"]
        assert str(status) in responses, f"{method} {url}: {status} is not described: {data!r}"
        content = responses[str(status)].get("content")
        if content is None:
            assert data == b""
            return
        assert kind in content, f"{method} {url}: {kind} is not described for {status}"
        if kind in {"application/json", PROBLEM}:
            self._validate(content[kind]["schema"], json.loads(data))

    def _operation(self, method: str, path: str) -> Mapping[str, Any] | None:
        # A path without parameters comes before one that also matches it.
        for _, template in sorted((t.count("{"), t) for p, t in self._paths if p.fullmatch(path)):
            found: Mapping[str, Any] | None = self.document["paths"][template].get(method.lower())
            if found is not None:
                return found
        return None

    def _validate(self, schema: Mapping[str, Any], value: object) -> None:
        whole = {**schema, "components": self.document["components"]}
        Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)
