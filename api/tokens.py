"""Bearer tokens: who is calling, vouched for by a signature (JWT, RFC 7519 and RFC 8725)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from api.identity import BadTokenError, Identity, identity_of

ALGORITHMS = frozenset(
    {f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)} | {"EdDSA"}
)
"""Signatures by a private key that only the issuer has. Never `none`, never a shared secret."""

REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]
CLOCK_SKEW_SECONDS = 5
MAX_TOKEN_LENGTH = 16_384
REMEMBERED_TOKENS = 1_000
REMEMBERED_SECONDS = 60.0

_NOBODY = (0.0, None)


class Keys(Protocol):
    """The public keys of an issuer."""

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key of that id, or the only one there is where the token names none.

        Raises `KeysUnavailableError` when there never were any.
        """


class KeysUnavailableError(Exception):
    """Nobody can be known now: the issuer's keys could not be fetched yet."""


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must say, and where it says the rest.

    `roles_claim` and `employee_claim` may be paths through nested claims, as `realm_access.roles`.
    """

    issuer: str
    audience: str
    roles_claim: str = "roles"
    employee_claim: str = "employee_id"


class TokenVerifier:
    """Tells who a token is about, when one of `keys` signed it and it says what `rules` ask for.

    It remembers tokens for a minute at most, and never past their end, since a signature takes
    longer to verify than most requests take.
    """

    def __init__(self, keys: Keys, rules: TokenRules) -> None:
        self._keys = keys
        self._rules = rules
        self._remembered: dict[str, tuple[float, Identity]] = {}

    def verify(self, token: str) -> Identity:
        """Return whom `token` is about. Raises `BadTokenError`, `KeysUnavailableError`."""
        remembered = self.remembered(token)
        if remembered is not None:
            return remembered
        claims = self._verified(token)
        identity = identity_of(claims, self._rules.roles_claim, self._rules.employee_claim)
        self._remember(token, int(claims["exp"]), identity)
        return identity

    def remembered(self, token: str) -> Identity | None:
        """Return whom `token` was found to be about lately, None where that is to be verified."""
        until, identity = self._remembered.get(token, _NOBODY)
        return identity if time.time() < until else None

    def _verified(self, token: str) -> Mapping[str, Any]:
        try:
            key = self._key(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                # The key's own algorithm, whatever the token says.
                algorithms=[key.algorithm_name],
                audience=self._rules.audience,
                issuer=self._rules.issuer,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": REQUIRED_CLAIMS},
            )
        except jwt.ExpiredSignatureError:
            raise BadTokenError("The token has expired.") from None
        except jwt.InvalidAudienceError:
            raise BadTokenError("The token is meant for another audience.") from None
        except (jwt.InvalidTokenError, ValueError, OverflowError):
            raise BadTokenError("The token is not valid here.") from None
        return claims

    def _key(self, token: str) -> jwt.PyJWK:
        if len(token) > MAX_TOKEN_LENGTH:
            raise BadTokenError("The token is too long.")
        header = jwt.get_unverified_header(token)
        # Looked at first, so that nobody makes us fetch keys for nothing.
        if str(header.get("alg")) not in ALGORITHMS:
            raise BadTokenError("The token is not signed by an algorithm that is accepted here.")
        key = self._keys.find(header.get("kid"))
        if key is None or key.algorithm_name not in ALGORITHMS:
            raise BadTokenError("The token is not signed by a known key.")
        return key

    def _remember(self, token: str, expires_at: int, identity: Identity) -> None:
        if len(self._remembered) >= REMEMBERED_TOKENS:
            self._remembered.clear()
        until = min(time.time() + REMEMBERED_SECONDS, expires_at + CLOCK_SKEW_SECONDS)
        self._remembered[token] = until, identity
