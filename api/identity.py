"""Who is calling, as the claims of a believed token say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.permissions import Role

_ID = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")


class BadTokenError(Exception):
    """The token does not prove who is calling. `reason` may be told to the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is calling.

    Attributes:
        subject: id of the person or service.
        roles: the known ones among the token's roles, in its order.
        employee_id: whose records are the caller's own; None when nobody's are.
    """

    subject: str
    roles: tuple[Role, ...]
    employee_id: str | None


def identity_of(claims: Mapping[str, Any], roles_claim: str, employee_claim: str) -> Identity:
    """Return who is calling by these claims.

    Raises `BadTokenError` when one of them is not what it must be. Without roles, nothing is
    permitted; without an employee id, nothing that is permitted on one's own records alone.
    """
    employee_id = _claim(claims, employee_claim)
    return Identity(
        subject=_id("sub", claims["sub"]),
        roles=_roles(roles_claim, _claim(claims, roles_claim)),
        employee_id=None if employee_id is None else _id(employee_claim, employee_id),
    )


def _claim(claims: Mapping[str, Any], name: str) -> object:
    """Return the claim `name`, or where the dots in `name` lead; None when there is none."""
    if name in claims:
        return claims[name]
    found: object = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _roles(claim: str, value: object) -> tuple[Role, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadTokenError(f"The claim {claim} must be a list.")
    known = set(Role)
    return tuple(Role(role) for role in value if isinstance(role, str) and role in known)


def _id(claim: str, value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise BadTokenError(f"The claim {claim} must be an id of 1 to 200 characters.")
    return value
