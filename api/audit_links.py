"""Links from what the API shows to the explanation of it."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from api.moments import asked_times
from api.resource import PREFIX

_EXPLAIN = f"{PREFIX}/audit/explain"


def row_explanation(resource: str, key: str) -> str:
    """Return the path at which the events behind a row are shown."""
    return f"{_EXPLAIN}/{resource}s/{quote(key)}"


def figure_explanation(figure: str, **scope: object) -> str:
    """Return path and query at which the rows behind a figure are shown, as of the same times."""
    given = {name: str(value) for name, value in scope.items() if value is not None}
    given |= asked_times()
    return f"{_EXPLAIN}/figures/{figure}" + (f"?{urlencode(given)}" if given else "")
