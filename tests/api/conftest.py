"""The API for a module of tests, and one that starts empty for a test alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.world import Api, running_api
from tests.servers import Databases


@pytest.fixture(scope="module")
def api(databases: Databases) -> Iterator[Api]:
    """The API on a database that the tests of a module share."""
    with databases.fresh() as url, running_api(url) as running:
        yield running


@pytest.fixture
def empty_api(database_url: str) -> Iterator[Api]:
    """The API on an empty database of this test alone."""
    with running_api(database_url) as running:
        yield running
