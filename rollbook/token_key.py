"""The local key by which the API believes tokens."""

from __future__ import annotations

from pathlib import Path

from api.local_key import local_verifier
from api.tokens import TokenVerifier
from rollbook.private_key import NotAnEd25519Key, private_key


def local_tokens(path: Path) -> TokenVerifier:
    """Return what believes tokens signed with the key in the file `path`, private or public.

    It is made where there is none. Raises OSError, and NotAnEd25519Key for anything else.
    """
    try:
        return local_verifier(private_key(path))
    except (TypeError, ValueError):
        raise NotAnEd25519Key(path) from None
