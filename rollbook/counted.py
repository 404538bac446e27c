"""A number of things, in words."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return `number` with `noun`, which gets an s unless it is one: 1 hold, 2 holds."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
