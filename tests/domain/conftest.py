"""The write door on a real log, for the tests of what commands do together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eventlog.pool import open_pool
from tests.domain.office import Office


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    """An empty log with room for a dozen commands at once, and some employees."""
    with open_pool(database_url, 12) as pool:
        yield Office(pool)
