"""Lists, a page at a time as JSON, or whole as CSV or NDJSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from api.exports import exported, wanted_format
from api.paging import next_link, window
from api.parameters import DEFAULT_LIMIT
from api.selection import Showing
from api.wire import Answered, answer
from projections.conditions import Conditions
from projections.count import Count, told
from projections.keyset import Order

EXPORTED_AT_ONCE = 500


def list_answer(
    conn: Connection[Any],
    parameters: Mapping[str, Any],
    showing: Showing,
    conditions: Conditions,
    count: Count,
    default: Order,
) -> Answered:
    """Return what `parameters` ask for of the rows that meet the conditions.

    `count` is their total; `default` the order where none is asked for.
    """
    selection = showing.select(parameters)
    listing, limit = showing.listing, parameters["limit"]
    form = wanted_format(parameters["format"])
    if form is not None:
        asked = window(parameters, listing, default, EXPORTED_AT_ONCE)
        return exported(conn, form, showing.shape, selection, conditions, asked, limit)
    asked = window(parameters, listing, default, limit or DEFAULT_LIMIT)
    page = listing.page(conn, selection.columns, conditions, asked, count)
    total = page.total
    if total is None and parameters["total"] is not None:
        total = told(conn, listing.count_all(conditions))
    items = selection.documents(conn, page.rows)
    return answer(
        {"items": items, "total": total, "next": next_link(asked, page.after)},
        headers={"Vary": "Accept"},
    )
