"""What employees look like, coming in and going out."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import fields

from api.fields import Body, Flag, Text
from api.merging import merge_patch_of
from api.shapes import Shape, given, nullable
from domain.program_details import MAX_NAME_LENGTH

OPTIONAL: dict[str, Any] = {"load_default": None, "allow_none": True}
MAX_EMAIL_LENGTH = 320

# What stands in a URL's path as it is: no slash, no step up, nothing invisible at the ends.
EMPLOYEE_ID = re.compile(r"(?!\.{1,2}$|\s|.*\s$)[^/\x00-\x1f\x7f]{1,200}")


class EmployeeBody(Body):
    """All that the directory holds of an employee. `id` may be repeated from the path."""

    id = Text(MAX_NAME_LENGTH, load_default=None)
    name = Text(MAX_NAME_LENGTH, **OPTIONAL)
    email = Text(MAX_EMAIL_LENGTH, **OPTIONAL)
    department = Text(MAX_NAME_LENGTH, **OPTIONAL)
    manager = Text(MAX_NAME_LENGTH, **OPTIONAL, metadata={"description": "An employee's id."})
    active = Flag(load_default=True)


EmployeePatch = merge_patch_of(EmployeeBody)


class EmployeeShape(Shape):
    """Somebody who works here."""

    id = given(fields.String)
    name = nullable(fields.String)
    email = nullable(fields.String)
    department = nullable(fields.String)
    manager = nullable(fields.String, "An employee's id.")
    active = given(fields.Boolean)
    version = given(fields.Integer, "Rises with every change.")
