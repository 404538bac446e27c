"""A short run of what `python -m tests.api.fuzz` does at length, with a fixed seed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from domain.permissions import Role
from tests.api.fuzz import IN_A_ROW, fuzz
from tests.api.fuzz_world import furnish
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
@pytest.mark.parametrize("role", list(Role))
def test_answers_keep_to_the_description_whatever_is_asked(url: str, role: Role) -> None:
    known = furnish(url, token("hr_admin"))
    bearer = token(role, employee_id=known["employee_id"][0])
    single = fuzz(url, bearer, known, seed=1, examples=1, phases="fuzzing")
    assert single.is_clean, single.report
    assert single.cases > 50
    in_a_row = fuzz(url, bearer, known, seed=1, examples=10, phases=IN_A_ROW)
    assert in_a_row.is_clean, in_a_row.report
    assert in_a_row.links > 0, in_a_row.report
