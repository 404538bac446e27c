"""The local key: tokens without any other system, signed with Ed25519 (RFC 8037)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm

from api.tokens import TokenRules, TokenVerifier

ISSUER = "rollbook"
AUDIENCE = "rollbook"
ALGORITHM = "EdDSA"


def new_private_key() -> bytes:
    """Return a fresh Ed25519 key as PEM (PKCS 8, without a password)."""
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def make_token(
    private_key: bytes,
    *,
    subject: str,
    roles: Sequence[str],
    lifetime: timedelta,
    employee_id: str | None = None,
) -> str:
    """Return a token signed with `private_key` (PEM), valid from now for `lifetime`.

    Without `employee_id`, the bearer's own records are those of `subject`.
    """
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "roles": list(roles),
        "employee_id": employee_id or subject,
        "iat": now,
        "exp": now + lifetime,
    }
    return jwt.encode(claims, private_key, algorithm=ALGORITHM)


def local_verifier(key: bytes) -> TokenVerifier:
    """Return what believes tokens signed with `key`, an Ed25519 key as PEM, public or private.

    Raises TypeError when it is a key of another kind.
    """
    return TokenVerifier(LocalKey(key), TokenRules(ISSUER, AUDIENCE))


class LocalKey:
    """The one key, whatever a token calls it."""

    def __init__(self, key: bytes) -> None:
        """Trust `key` (PEM). Raises TypeError when it is not an Ed25519 key."""
        self._key = jwt.PyJWK(OKPAlgorithm.to_jwk(_public_key(key), as_dict=True))

    def find(self, key_id: str | None) -> jwt.PyJWK:  # noqa: ARG002  # there is but one
        """Return the key."""
        return self._key


def _public_key(key: bytes) -> Ed25519PublicKey:
    if b"PRIVATE KEY" in key:
        private = serialization.load_pem_private_key(key, password=None)
        public: object = private.public_key()
    else:
        public = serialization.load_pem_public_key(key)
    if not isinstance(public, Ed25519PublicKey):
        raise TypeError("The key for tokens must be an Ed25519 key.")
    return public
