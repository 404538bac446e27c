"""From a list's parameters to a window on it, and from a page to the link to the next one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from api.asked import asked
from api.moments import asked_times
from api.problems import FieldError, ProblemError, invalid
from projections.keyset import Listing, Order, SortValue, Window

# What may change from one page of a list to the next.
_FREE = {"cursor", "limit", "fields", "include", "format", "total"}


def window(parameters: Mapping[str, Any], listing: Listing, default: Order, limit: int) -> Window:
    """Return the window on `listing` that `parameters` ask for, of `limit` rows.

    Raises a 422 problem for a cursor that no page of the same list in the same order gave.
    """
    orders: Sequence[Order] = parameters.get("sort") or [default]
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
    other = {"cursor": cursor} | asked_times()
    parameters = [(name, v) for name, v in asked().args.items(multi=True) if name not in other]
    return f"{asked().path}?{urlencode([*parameters, *other.items()])}"


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
    times = asked_times()
    others = {*_FREE, *times, "sort"}
    given = sorted((n, v) for n, v in asked().args.items(multi=True) if n not in others)
    of = msgspec.json.encode([asked().path, given, times, orders])
    return hashlib.blake2b(of, digest_size=9).hexdigest()


def _bad_cursor() -> ProblemError:
    rule = "must be taken from `next` of a page of the same list in the same order"
    return invalid([FieldError("cursor", rule)])
