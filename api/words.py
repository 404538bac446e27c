"""How something was asked, as far as that may decide its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Words = tuple[object, ...]

AT_LEAST = "HTTP_ROLLBOOK_AT_LEAST"
HELD = "HTTP_IF_NONE_MATCH"
PREFER = "HTTP_PREFER"
REQUEST_ID = "HTTP_X_REQUEST_ID"
TRACE = "HTTP_TRACEPARENT"

# Who asks, what they hold and for what they wait is looked at besides; the others are about the
# one request.
_LOOKED_AT_BESIDES = {"HTTP_AUTHORIZATION", HELD, AT_LEAST, PREFER}
_OF_ONE_REQUEST = {
    REQUEST_ID,
    TRACE,
    "HTTP_B3",
    "HTTP_BAGGAGE",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_CF_RAY",
    "HTTP_FORWARDED",
    "HTTP_TRACESTATE",
    "HTTP_X_AMZN_TRACE_ID",
    "HTTP_X_CLOUD_TRACE_CONTEXT",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_REAL_IP",
}
_MOST_CHARACTERS = 8_192
_PASSED_BY = _LOOKED_AT_BESIDES | _OF_ONE_REQUEST


def words_of(environ: Mapping[str, Any]) -> Words:
    """Return all of a request (PEP 3333) but its path that may decide its answer."""
    said = [
        item
        for item in environ.items()
        if item[0].startswith("HTTP_") and item[0] not in _PASSED_BY
    ]
    return environ.get("QUERY_STRING"), environ["wsgi.url_scheme"], *said


def are_few(words: Words) -> bool:
    """Return whether the words are as few as those of a browser, so that they may be remembered."""
    return len(repr(words)) <= _MOST_CHARACTERS
