"""The examples of docs/usage.md, run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.world import projecting
from tests.patience import PATIENCE_SECONDS
from tests.rollbook.api_process import BASE, ApiProcess, api_process

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", (ROOT / "docs/usage.md").read_text(), re.DOTALL)


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[tuple[ApiProcess, dict[str, str]]]:
    """A running API, and what the shell of its user holds."""
    with api_process(tmp_path, database_url) as api, projecting(database_url):
        bearer = api.headers["Authorization"].removeprefix("Bearer ")
        yield api, os.environ | {"TOKEN": bearer, "ROLLBOOK": api.url + BASE}


def lines_of(language: str) -> str:
    """All blocks of the language, one after the other, as somebody would type them."""
    return "".join(block for found, block in BLOCKS if found == language)


def test_every_thing_is_shown_in_both_languages() -> None:
    assert [language for language, _ in BLOCKS] == ["sh", "python"] * 11


def test_the_shell_examples_work(served: tuple[ApiProcess, dict[str, str]]) -> None:
    _, environment = served
    # The address and the token are those of this test's own server.
    script = re.sub(r"(?m)^export (ROLLBOOK|TOKEN)=.*\n", "", lines_of("sh"))
    done = run(["bash", "-euo", "pipefail", "-c", script], environment)
    assert '"title":"Fire safety at work"' in done
    assert '"category":"Health"' in done
    assert '"completion_rate":{"value":1.0' in done
    assert '"code":"program_has_enrollments"' in done


def test_the_python_examples_work(served: tuple[ApiProcess, dict[str, str]]) -> None:
    _, environment = served
    done = run([sys.executable, "-c", lines_of("python")], environment)
    assert done.splitlines()[:3] == ["enrolled", "Fire safety, advanced completed", "1 of 1"]
    assert "409 program_has_enrollments" in done


def run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
