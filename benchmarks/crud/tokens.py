"""Who is calling: the same tokens as Rollbook's, verified once a request."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from flask import abort, current_app, request

ALGORITHM = "EdDSA"
NAME = "rollbook"


def public_key(path: Path) -> Any:
    """Return the public part of the key in the file."""
    return load_pem_private_key(path.read_bytes(), password=None).public_key()


def requires(*roles: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let in who has one of the roles."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def checked(*args: Any, **ids: Any) -> Any:
            if not set(roles) & set(_claims()["roles"]):
                abort(403)
            return view(*args, **ids)

        return checked

    return decorate


def _claims() -> dict[str, Any]:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer":
        abort(401)
    try:
        return jwt.decode(token, current_app.config["KEY"], [ALGORITHM], audience=NAME, issuer=NAME)
    except jwt.InvalidTokenError:
        abort(401)
