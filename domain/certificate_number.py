"""Certificate numbers: made by the system, never reused, not to be guessed."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that reads like a digit or another letter."""

GROUPS = 4
GROUP_LENGTH = 5


def new_certificate_number() -> str:
    """Return a number such as `RB-7K2QD-9XMVA-0RT4C-HWZ31`, with 100 random bits."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(("RB", *groups))
