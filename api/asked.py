"""The request that is answered."""

from __future__ import annotations

from flask import Request, g, request


def asked() -> Request:
    """Return it, whether Flask itself handles it or it is answered ahead of that."""
    ahead: Request | None = g.get("asked")
    return request if ahead is None else ahead


def is_asked(ahead: Request) -> None:
    """Say which request is answered ahead of Flask."""
    g.asked = ahead
