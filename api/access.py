"""Who may call what: the one place where the API asks `domain.permissions`.

Every endpoint declares a permission, or that anybody may call it. One that
declares nothing keeps the app from being created.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from api.correlation import correlation_id
from api.identity import BadTokenError, Identity
from api.problems import RETRY_SECONDS, Problem, ProblemError
from api.services import services
from api.tokens import KeysUnavailableError
from domain.permissions import Permission, Role, Scope, scope_of

logger = logging.getLogger(__name__)

View = TypeVar("View", bound=Callable[..., Any])

NO_KEYS = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "issuer_unavailable",
    "Those who vouch for callers do not answer. Try again.",
    headers={"Retry-After": str(RETRY_SECONDS)},
)

_ATTRIBUTE = "_rollbook_access"


class Public(Enum):
    """The access of endpoints that ask for no token."""

    ANYBODY = "anybody"


class UndeclaredAccessError(Exception):
    """An endpoint does not say who may call it."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"The endpoint {endpoint} declares no permission.")
        self.endpoint = endpoint


@dataclass(frozen=True, slots=True)
class Acting:
    """The role in which the caller does this, and on whose records it may."""

    role: Role
    scope: Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, and for an operation that asks for which permission."""

    identity: Identity
    permission: Permission

    def acting(self, *more: Permission) -> Acting:
        """Return the role that permits the operation, and `more` where it asks for more.

        The widest scope wins, then the first in the token. Raises a 403 problem
        when no role permits it all.
        """
        is_employee = self.identity.employee_id is not None
        permitted = _acting(self.identity.roles, (self.permission, *more), is_employee=is_employee)
        if permitted is None:
            raise _forbidden(self, more)
        return permitted

    @property
    def own_employee_id(self) -> str | None:
        """The employee to whose records this caller is held, or None when to nobody's."""
        is_held = self.acting().scope is Scope.OWN
        return self.identity.employee_id if is_held else None

    def may(self, permission: Permission) -> bool:
        """Return whether any of the caller's roles has `permission`."""
        return any(scope_of(role, permission) for role in self.identity.roles)


@lru_cache
def _acting(
    roles: tuple[Role, ...], needed: tuple[Permission, ...], *, is_employee: bool
) -> Acting | None:
    candidates = [_acting_as(role, needed, is_employee=is_employee) for role in roles]
    permitted = [acting for acting in candidates if acting is not None]
    return next((a for a in permitted if a.scope is Scope.ALL), next(iter(permitted), None))


def _acting_as(role: Role, needed: tuple[Permission, ...], *, is_employee: bool) -> Acting | None:
    scopes = [scope_of(role, permission) for permission in needed]
    if None in scopes:
        return None
    if Scope.OWN not in scopes:
        return Acting(role, Scope.ALL)
    # Who is no employee has no records of their own, and is not let at everybody's instead.
    return Acting(role, Scope.OWN) if is_employee else None


def declares(access: Permission | Public) -> Callable[[View], View]:
    """Declare who may call the decorated endpoint."""

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, access)
        return view

    return mark


def access_of(view: Callable[..., Any]) -> Permission | Public | None:
    """Return what `view` declares."""
    return getattr(view, _ATTRIBUTE, None)


def bearer_token(authorization: str) -> str | None:
    """Return the token in the header of that name (RFC 6750, section 2.1), None without one."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None


def calls(identity: Identity, permission: Permission) -> None:
    """Say who is calling, and for an operation that asks for which permission."""
    g.caller = Caller(identity, permission)


def recognize(app: Flask) -> None:
    """Let it be known of every request of `app` who is calling, if anybody says so."""
    app.before_request(_recognize)


def guard(app: Flask) -> None:
    """Let every request of `app` be checked, behind `recognize`. Raises `UndeclaredAccessError`."""
    for endpoint, view in app.view_functions.items():
        if access_of(view) is None:
            raise UndeclaredAccessError(endpoint)
    app.before_request(_check)


def caller() -> Caller:
    """Return who is calling."""
    found: Caller = g.caller
    return found


def known_caller() -> Caller | None:
    """Return who is calling, or None when nobody who could be believed says so."""
    found: Caller | None = g.get("caller")
    return found


def _recognize() -> None:
    access = access_of(current_app.view_functions.get(request.endpoint or "", _recognize))
    if isinstance(access, Permission):
        try:
            calls(_identify(), access)
        except ProblemError as refusal:
            g.refusal = refusal


def _check() -> None:
    if request.endpoint is None:
        return
    if "refusal" in g:
        raise g.refusal
    known = known_caller()
    if known is not None:
        known.acting()
    elif access_of(current_app.view_functions[request.endpoint]) is not Public.ANYBODY:
        raise UndeclaredAccessError(request.endpoint)


def _identify() -> Identity:
    token = bearer_token(request.headers.get("Authorization", ""))
    if token is None:
        raise _unauthenticated("A bearer token is required.", 'Bearer realm="rollbook"')
    try:
        return services().verifier.verify(token)
    except BadTokenError as error:
        challenge = (
            f'Bearer realm="rollbook", error="invalid_token", error_description="{error.reason}"'
        )
        raise _unauthenticated(error.reason, challenge) from None
    except KeysUnavailableError:
        raise ProblemError(NO_KEYS) from None


def _unauthenticated(reason: str, challenge: str) -> ProblemError:
    logger.info("denied: %s (%s)", reason, correlation_id())
    headers = {"WWW-Authenticate": challenge}
    return ProblemError(
        Problem(HTTPStatus.UNAUTHORIZED, "unauthenticated", reason, headers=headers)
    )


def _forbidden(who: Caller, more: tuple[Permission, ...]) -> ProblemError:
    needed = " and ".join(p.name.lower().replace("_", " ") for p in (who.permission, *more))
    roles = ", ".join(who.identity.roles) or "none"
    logger.info("denied: %s may not %s (%s)", who.identity.subject, needed, correlation_id())
    detail = f"This asks for the permission to {needed}, which none of your roles has: {roles}."
    headers = {"WWW-Authenticate": 'Bearer realm="rollbook", error="insufficient_scope"'}
    return ProblemError(Problem(HTTPStatus.FORBIDDEN, "forbidden", detail, headers=headers))
