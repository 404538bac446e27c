"""What stands in a path: an id that is malformed names nothing, and is told so."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Flask, request
from flask_smorest import Api  # type: ignore[import-untyped]
from werkzeug.routing import BaseConverter

from api.employee_shapes import EMPLOYEE_ID
from api.fields import UUID_PATTERN
from api.problems import FieldError, ProblemError, not_found
from domain.certificate_number import ALPHABET, GROUP_LENGTH, GROUPS

_UUID = re.compile(UUID_PATTERN, re.ASCII)
_NUMBER = re.compile(rf"RB(-[{ALPHABET}]{{{GROUP_LENGTH}}}){{{GROUPS}}}")


@dataclass(frozen=True, slots=True)
class Malformed:
    """Part of a path that cannot be what it should be."""

    text: str
    rule: str


class IdConverter(BaseConverter):
    """A UUID."""

    def to_python(self, value: str) -> UUID | Malformed:
        """Return the id."""
        return UUID(value) if _UUID.fullmatch(value) else Malformed(value, "must be a UUID")


class NumberConverter(BaseConverter):
    """A certificate's number."""

    def to_python(self, value: str) -> str | Malformed:
        """Return the number."""
        rule = "must be a number as RB-7K2QD-9XMVA-0RT4C-HWZ31"
        return value if _NUMBER.fullmatch(value) else Malformed(value, rule)


class EmployeeConverter(BaseConverter):
    """An employee's id."""

    def to_python(self, value: str) -> str | Malformed:
        """Return the id."""
        return value if EMPLOYEE_ID.fullmatch(value) else Malformed(value, "must be an id")


def read_paths(app: Flask, api: Api) -> None:
    """Let the paths of `app` hold our ids, and refuse malformed ones."""
    converters: dict[str, tuple[type[BaseConverter], dict[str, Any]]] = {
        "id": (IdConverter, {"type": "string", "format": "uuid"}),
        "number": (NumberConverter, {"type": "string"}),
        "employee": (EmployeeConverter, {"type": "string", "minLength": 1, "maxLength": 200}),
    }
    for name, (converter, schema) in converters.items():
        app.url_map.converters[name] = converter
        api.register_converter(converter, lambda _, schema=schema: dict(schema))


def refuse_malformed() -> None:
    """Refuse a path that names nothing, once the caller is known.

    A converter that raised would end as "nothing at this path" before that.
    """
    for name, value in (request.view_args or {}).items():
        if isinstance(value, Malformed):
            raise _nothing_named(name, value)


def _nothing_named(name: str, value: Malformed) -> ProblemError:
    kind = name.removesuffix("_id").replace("number", "certificate")
    problem = not_found(kind, value.text).problem
    return ProblemError(replace(problem, errors=(FieldError(name, value.rule),)))
