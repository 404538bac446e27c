"""From a list's parameters to a window on it, and from a page to the link to the next one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

import msgspec

from api.asked import asked
from api.moments import asked_times
from api.problems import FieldError, ProblemError, invalid
from projections.keyset import Listing, Order, SortValue, Window

MOST_LISTS = 256
"""Of so many lists it is remembered how their next pages are named."""

Pairs = tuple[tuple[str, str], ...]

# What may change from one page of a list to the next.
_FREE = {"cursor", "limit", "fields", "include", "format", "total"}


def window(parameters: Mapping[str, Any], listing: Listing, default: Order, limit: int) -> Window:
    """Return the window on `listing` that `parameters` ask for, of `limit` rows.

    Raises a 422 problem for a cursor that no page of the same list in the same order gave.
    """
    orders = listing.in_full(parameters.get("sort") or [default])
    cursor = parameters["cursor"]
    after = None if cursor is None else _read(cursor, orders, listing)
    return Window(orders, limit, after)


def next_link(window_shown: Window, after: Sequence[SortValue] | None) -> str | None:
    """Return path and query of the page behind the one shown, None behind the last."""
    if after is None:
        return None
    written = msgspec.json.encode([_fingerprint(window_shown.orders), *after])
    return link_to(base64.urlsafe_b64encode(written).decode().rstrip("="))


def link_to(cursor: str) -> str:
    """Return path and query of the same list from `cursor` on, as of the same moment."""
    return _link(asked().path, asked().query_string, _times()) + quote_plus(cursor)


@lru_cache(maxsize=MOST_LISTS)
def _link(path: str, query: bytes, times: Pairs) -> str:
    """Return path and query of a list as of those times, up to the cursor."""
    others = {"cursor", *(name for name, _ in times)}
    given = [pair for pair in _pairs(query) if pair[0] not in others]
    return f"{path}?{urlencode([*given, *times, ('cursor', '')])}"


def _read(cursor: str, orders: Sequence[Order], listing: Listing) -> Sequence[SortValue]:
    kinds = [listing.sorts[order.name].kind for order in orders]
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        written = base64.b64decode(padded, altchars=b"-_", validate=True)
        fingerprint, *after = msgspec.json.decode(written)
        if fingerprint != _fingerprint(orders) or b"\\u0000" in written:
            raise _bad_cursor()
        wanted = [*kinds, listing.key_kind]
        pairs = zip(after, wanted, strict=True)
        return [msgspec.convert(value, kind) for value, kind in pairs]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise _bad_cursor() from None


def _fingerprint(orders: Sequence[Order]) -> str:
    """Return what tells this list in these orders from every other one."""
    return _fingerprint_of(asked().path, asked().query_string, _times(), tuple(orders))


@lru_cache(maxsize=MOST_LISTS)
def _fingerprint_of(path: str, query: bytes, times: Pairs, orders: tuple[Order, ...]) -> str:
    others = {*_FREE, *(name for name, _ in times), "sort"}
    given = sorted(pair for pair in _pairs(query) if pair[0] not in others)
    of = msgspec.json.encode([path, given, times, orders])
    return hashlib.blake2b(of, digest_size=9).hexdigest()


def _times() -> Pairs:
    return tuple(asked_times().items())


def _pairs(query: bytes) -> Sequence[tuple[str, str]]:
    return parse_qsl(query.decode(), keep_blank_values=True)


def _bad_cursor() -> ProblemError:
    rule = "must be taken from `next` of a page of the same list in the same order"
    return invalid([FieldError("cursor", rule)])
