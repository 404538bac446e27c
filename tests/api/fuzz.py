"""Calls the API in every way that its description allows, and in many that it does not.

`python -m tests.api.fuzz --cases 20000` does so with a running Rollbook, as every role in turn,
until so many calls were made; it needs `ROLLBOOK_CALLER_REQUESTS=0` there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from domain.permissions import Role

DESCRIPTION = "/api/hr/training/openapi.json"
CONFIG = Path(__file__).with_name("fuzz.toml")
ALL_PHASES = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True)
class Outcome:
    """How many calls were made, whether all answers kept to the description, and what was said."""

    cases: int
    is_clean: bool
    report: str


def fuzz(url: str, bearer: str, *, seed: int, examples: int, phases: str = ALL_PHASES) -> Outcome:
    """Call the API at `url` with all checks on, with `examples` for each operation and phase."""
    command: list[str | Path] = [
        *(Path(sys.executable).with_name("schemathesis"), "--config-file", CONFIG),
        *("run", url + DESCRIPTION, "--header", f"Authorization: Bearer {bearer}"),
        *("--checks", "all", "--phases", phases, "--suppress-health-check", "all"),
        *("--max-examples", str(examples), "--seed", str(seed), "--continue-on-failure"),
    ]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks", "PYTHONPATH": str(CONFIG.parents[2])}
    # In a folder of its own, so that what it remembers of one run does not change the next.
    with TemporaryDirectory() as folder:
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=os.environ | hooks,
        )
    report = run.stdout + run.stderr
    found = re.search(r"([\d,]+) generated", report)
    cases = int(found[1].replace(",", "")) if found else 0
    return Outcome(cases, run.returncode == 0, report)


@click.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True)
@click.option("--cases", default=20_000, show_default=True)
def main(url: str, cases: int) -> None:
    """Call a running Rollbook so many times at least; end with 1 if it answered otherwise."""
    made, is_clean = 0, True
    for seed in count(1):
        for role in Role:
            outcome = fuzz(url, _bearer(role), seed=seed, examples=20)
            made += outcome.cases
            is_clean = is_clean and outcome.is_clean
            click.echo(f"{role}, seed {seed}: {outcome.cases} cases, {made} in all")
            if not outcome.is_clean:
                click.echo(outcome.report)
            if not outcome.cases:
                sys.exit(1)
        # Never before each role had its turn.
        if made >= cases:
            sys.exit(0 if is_clean else 1)


def _bearer(role: Role) -> str:
    command = [sys.executable, "-m", "rollbook", "token", "--role", role, "--employee", "ada"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
