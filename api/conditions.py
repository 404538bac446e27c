"""Conditional writes: the versions of a resource that a request expects to meet."""

from __future__ import annotations

import re
from collections.abc import Container
from http import HTTPStatus

from flask import request

from api.problems import FieldError, invalid
from domain.errors import OutdatedError

IF_MATCH = "If-Match"
IF_NONE_MATCH = "If-None-Match"

ABSENT_VERSION = 0
"""The version of what is not there."""

EXISTING = range(1, 2**63)
ABSENT = frozenset({ABSENT_VERSION})

_TAG = re.compile(r'\s*(?P<weak>W/)?"(?P<opaque>[!#-~\x80-\xff]*)"\s*(?:,|$)')
_VERSION = re.compile(r"(\d{1,18})(?:-.*)?", re.ASCII)


def expected_versions() -> Container[int] | None:
    """Return the versions that this write may meet; None for any, 0 for what is not there.

    It is told by `If-Match`, or by `If-None-Match: *` (RFC 9110, sections 13.1.1 and 13.1.2).
    Raises a 400 problem for a header that is malformed.
    """
    wanted, unwanted = request.headers.get(IF_MATCH), request.headers.get(IF_NONE_MATCH)
    if unwanted is not None:
        if wanted is not None or unwanted.strip() != "*":
            raise _malformed(IF_NONE_MATCH, "must be * in a write, and without If-Match")
        return ABSENT
    if wanted is None:
        return None
    return EXISTING if wanted.strip() == "*" else _versions(wanted)


def require_expected(version: int) -> None:
    """Raise `OutdatedError` when this write does not expect `version`, and as above."""
    expected = expected_versions()
    if expected is not None and version not in expected:
        raise OutdatedError(version)


def _versions(header: str) -> frozenset[int]:
    tags = list(_TAG.finditer(header))
    if "".join(tag[0] for tag in tags) != header or not tags:
        raise _malformed(IF_MATCH, "must be * or ETags in quotes, separated by commas")
    # A weak tag never matches, and an ETag that was not made here matches nothing.
    found = (_VERSION.fullmatch(tag["opaque"]) for tag in tags if not tag["weak"])
    return frozenset(int(version[1]) for version in found if version)


def _malformed(header: str, rule: str) -> Exception:
    return invalid([FieldError(header, rule)], HTTPStatus.BAD_REQUEST)
