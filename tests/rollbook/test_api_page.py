"""The commands of docs/api.md, run as they are written."""

from __future__ import annotations

import re
from pathlib import Path

from tests.api.world import projecting
from tests.rollbook.api_process import api_process
from tests.rollbook.test_usage import ROOT, run

BLOCKS = re.findall(r"```(\w*)\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.DOTALL)
FUZZ = "tests.api.fuzz"


def run_as_written(script: str, home: Path, url: str) -> str:
    """Type the script in with the API at `url`, whose keys are in `home`."""
    environment = {"ROLLBOOK_HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    typed = script.replace("http://127.0.0.1:8000", url)
    return run(["bash", "-euo", "pipefail", "-c", typed], environment)


def test_all_that_is_shown_is_a_command() -> None:
    assert {language for language, _ in BLOCKS} == {"sh"}


def test_the_commands_answer_what_the_page_says(tmp_path: Path, database_url: str) -> None:
    script = "".join(block for _, block in BLOCKS if FUZZ not in block)
    with api_process(tmp_path, database_url) as api, projecting(database_url):
        told = run_as_written(script, tmp_path, api.url)
    for said in (
        '"employee_id":"e1"',
        '"id","name",',
        "\n304\n",
        '"category":"Safety"',
        '"title":"Fire safety for all",',
        "idempotency-replayed: true",
        "{'recorded': 1,",
        '"status":"completed"',
        "\nversion_mismatch\n",
        "\nenrolled\n",
        '"completion_rate":{"value":null',
        "<h1>Invalid value</h1>",
    ):
        assert said in told, told


def test_the_long_run_of_calls_works_in_short(tmp_path: Path, database_url: str) -> None:
    (command,) = (block for _, block in BLOCKS if FUZZ in block)
    assert command.count("--cases 20000") == 1
    few = command.replace("--cases 20000", "--cases 1 --role auditor --phases stateful --rows 5")
    with (
        api_process(tmp_path, database_url, ROLLBOOK_CALLER_REQUESTS="0") as api,
        projecting(database_url),
    ):
        told = run_as_written(f"{few.rstrip()} --url {api.url}", tmp_path, api.url)
    assert "auditor, seed 1, stateful" in told
