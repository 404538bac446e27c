"""The API and the commands when the database says nothing any more, without hanging up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from eventlog import silence
from rollbook.cli import main
from tests.eventlog.proxy import Cut, proxy_for
from tests.rollbook.api_process import BASE, api_process

IMPATIENT = "-c statement_timeout=1000"
BOUND_SECONDS = 20
PROGRAMS = f"{BASE}/programs"


def test_the_api_answers_in_bounded_time_and_goes_on_without_a_restart(
    tmp_path: Path, database_url: str
) -> None:
    with (
        proxy_for(database_url) as proxy,
        api_process(tmp_path, proxy.link(options=IMPATIENT)) as api,
    ):
        api.wait_for(PROGRAMS)
        proxy.fall_silent()
        for body in ({"code": "SILENT", "title": "Silent"}, None, None):
            began = time.monotonic()
            answer = api.get(PROGRAMS) if body is None else api.post(PROGRAMS, body)
            assert time.monotonic() - began < BOUND_SECONDS
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["Retry-After"] == "1"
        assert api.get("/healthz").status_code == 200
        proxy.speak()
        api.wait_for(PROGRAMS)
        assert api.post(PROGRAMS, {"code": "SPOKEN", "title": "Spoken"}).status_code == 201


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        (["status"], b"to_regclass"),
        (["status"], b"rollbook.processes"),
        (["verify", "--all"], b"rollbook_read."),
        (["audit", "verify", "--live"], b"rollbook.merkle"),
    ],
)
def test_a_command_ends(
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    asked: bytes,
) -> None:
    monkeypatch.setattr(silence, "ASK_EVERY_SECONDS", 0.5)
    with proxy_for(database_url) as proxy:
        environment = {
            "DATABASE_URL": proxy.link(options=IMPATIENT),
            "ROLLBOOK_HOME": str(tmp_path),
        }
        proxy.cut_at(asked, Cut.SILENTLY)
        result = CliRunner().invoke(main, command, env=environment)
    assert result.exit_code != 0
    assert "the server says nothing" in result.output or "cannot be reached" in result.output
