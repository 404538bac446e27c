"""PATCH: a merge patch says what changes, and null takes a value away (RFC 7396)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from marshmallow import Schema, fields, missing

from api.fields import Body, Part

MERGE_PATCH = "application/merge-patch+json"


def merge_patch_of(body: type[Schema]) -> type[Schema]:
    """Return the schema of a patch of what `body` replaces.

    Every field may be left out, and be null where `body` does not require it.
    """
    each = {name: _patched(field) for name, field in body().declared_fields.items()}
    return Body.from_dict(each, name=body.__name__.removesuffix("Body") + "Patch")


def merged(body: type[Schema], current: Mapping[str, Any], patch: Mapping[str, Any]) -> Any:
    """Return `current`, the values of `body`, with those that `patch` gives, and else as it was.

    Null stands for the value that `body` has where nothing is said.
    """
    result = dict(current)
    for name, value in patch.items():
        field = body().declared_fields[name]
        if value is None:
            default = field.load_default
            result[name] = default() if callable(default) else default
        elif isinstance(field, Part):
            result[name] = merged(type(field.schema), current[name], value)
        else:
            result[name] = value
    return result


def _patched(field: fields.Field[Any]) -> fields.Field[Any]:
    can_be_null = not field.required
    if isinstance(field, Part):
        field = Part(merge_patch_of(type(field.schema)))
    patched = deepcopy(field)
    patched.required = False
    patched.load_default = missing
    patched.allow_none = can_be_null
    return patched
