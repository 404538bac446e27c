"""ETags: the version of a resource, as its reads and its commands tell it."""

from __future__ import annotations

ETAG = "ETag"


def etag_of(version: int, beside: str | None = None) -> str:
    """Return the strong ETag of a resource at `version` (RFC 9110, section 8.8.3).

    `beside` stands for what a representation shows beside the resource's own state, such
    as a name looked up elsewhere; a write that expects the ETag expects the version alone.
    """
    return f'"{version}"' if beside is None else f'"{version}-{beside}"'
