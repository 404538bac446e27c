"""A short run of what `python -m tests.api.fuzz` does at length, with a fixed seed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from tests.api.fuzz import fuzz
from tests.api.world import Api, token


@pytest.fixture
def url(empty_api: Api) -> Iterator[str]:
    """The API behind a real server."""
    server = make_server("127.0.0.1", 0, empty_api.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.timeout(300)
def test_answers_keep_to_the_description_whatever_is_asked(url: str) -> None:
    bearer = token("hr_admin", employee_id="ada")
    outcome = fuzz(url, bearer, seed=1, examples=2, phases="fuzzing,stateful")
    assert outcome.is_clean, outcome.report
    assert outcome.cases > 50
