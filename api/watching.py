"""The requests of those who watch over this process: they come often, and are about nobody."""

from __future__ import annotations

from flask import request

WATCHING = ("health", "metrics")


def is_watched() -> bool:
    """Return whether the request is one of theirs."""
    return request.blueprint in WATCHING
