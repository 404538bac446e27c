"""Tokens that prove nothing, by what is wrong with them."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization

from api.local_key import AUDIENCE, ISSUER, make_token, new_private_key
from tests.api.world import KEY

HOUR = timedelta(hours=1)


def claims(**changes: Any) -> dict[str, Any]:
    """Those of a good token, but for `changes`; a claim of None is left out."""
    now = datetime.now(UTC)
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "hr-1",
        "roles": ["hr_admin"],
        "iat": now,
        "exp": now + HOUR,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(**changes: Any) -> str:
    return jwt.encode(claims(**changes), KEY, algorithm="EdDSA")


def shared_secret(public_key: bytes, key_id: str, said: dict[str, Any]) -> str:
    """Signed with HMAC and the public key: good to who lets a token choose its algorithm."""
    header = {"alg": "HS256", "typ": "JWT", "kid": key_id}
    parts = [json.dumps(part, default=lambda at: int(at.timestamp())) for part in (header, said)]
    text = b".".join(_encoded(part.encode()) for part in parts)
    return (text + b"." + _encoded(hmac.digest(public_key, text, "sha256"))).decode()


def _encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def _with_the_public_key() -> str:
    private = serialization.load_pem_private_key(KEY, password=None)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return shared_secret(public, "any", claims())


def _altered() -> str:
    head, body, signature = signed(roles=["employee"]).split(".")
    other = signed().split(".")[1]
    assert other != body
    return f"{head}.{other}.{signature}"


def _foreign() -> str:
    return make_token(new_private_key(), subject="hr-1", roles=["hr_admin"], lifetime=HOUR)


FAULTS: dict[str, Callable[[], str | None]] = {
    "none at all": lambda: None,
    "not a token": lambda: "abc",
    "unsigned (`alg=none`)": lambda: jwt.encode(claims(), "", algorithm="none"),
    "signed with the public key as a shared secret": _with_the_public_key,
    "signed with a foreign key": _foreign,
    "altered": _altered,
    "expired": lambda: signed(exp=datetime.now(UTC) - HOUR),
    "issued in the future": lambda: signed(iat=datetime.now(UTC) + HOUR),
    "not valid yet": lambda: signed(nbf=datetime.now(UTC) + HOUR),
    "for another audience": lambda: signed(aud="somebody-else"),
    "of another issuer": lambda: signed(iss="somebody-else"),
    "without an end": lambda: signed(exp=None),
    "without a subject": lambda: signed(sub=None),
    "roles as text": lambda: signed(roles="hr_admin"),
    "a subject with a NUL": lambda: signed(sub="a\0b"),
    "an employee's id that is a number": lambda: signed(employee_id=7),
}
