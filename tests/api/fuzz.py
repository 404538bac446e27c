"""Calls the API in every way that its description allows, and in many that it does not.

`python -m tests.api.fuzz --cases 20000` does so with a running Rollbook, as every role in turn,
until so many calls were made; it needs `ROLLBOOK_CALLER_REQUESTS=0` there.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from domain.permissions import Role
from tests.api.fuzz_world import Ids, furnish

DESCRIPTION = "/api/hr/training/openapi.json"
CONFIG = Path(__file__).with_name("fuzz.toml")
SINGLE = "examples,coverage,fuzzing"
IN_A_ROW = "stateful"


@dataclass(frozen=True)
class Outcome:
    """How many calls were made, whether all answers kept to the description, and what was said.

    Attributes:
        cases: how many calls.
        links: how many ways from an answer to the next call were gone.
        is_clean: whether all answers kept to the description.
        report: what was said.

    """

    cases: int
    links: int
    is_clean: bool
    report: str


def fuzz(url: str, bearer: str, known: Ids, *, seed: int, examples: int, phases: str) -> Outcome:
    """Call the API at `url` with all checks on, with `examples` for each operation and phase.

    Half of the good requests are about the ids that are `known`. The phase `IN_A_ROW` has
    `examples` rows of calls, each of which goes on from what the ones before answered.
    """
    command: list[str | Path] = [
        *(Path(sys.executable).with_name("schemathesis"), "--config-file", CONFIG),
        *("run", url + DESCRIPTION, "--header", f"Authorization: Bearer {bearer}"),
        *("--phases", phases, "--suppress-health-check", "all"),
        *("--max-examples", str(examples), "--seed", str(seed), "--continue-on-failure"),
    ]
    environment = {
        "SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks",
        "PYTHONPATH": str(CONFIG.parents[2]),
        "ROLLBOOK_FUZZ_IDS": json.dumps(known),
    }
    # In a folder of its own, so that what it remembers of one run does not change the next.
    with TemporaryDirectory() as folder:
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=os.environ | environment,
        )
    report = run.stdout + run.stderr
    return Outcome(
        cases=_number(r"([\d,]+) generated", report),
        links=_number(r"API Links: +([\d,]+) covered", report),
        is_clean=run.returncode == 0,
        report=report,
    )


def _number(pattern: str, report: str) -> int:
    found = re.search(pattern, report)
    return int(found[1].replace(",", "")) if found else 0


@click.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True)
@click.option("--cases", default=20_000, show_default=True)
@click.option(
    "--role",
    "roles",
    type=click.Choice([*map(str, Role)]),
    multiple=True,
    default=[*map(str, Role)],
)
@click.option(
    "--phases",
    "kinds",
    type=click.Choice([SINGLE, IN_A_ROW]),
    multiple=True,
    default=[SINGLE, IN_A_ROW],
)
@click.option("--examples", default=20, show_default=True, help="Calls of each operation at once.")
@click.option("--rows", default=100, show_default=True, help="Rows of calls at once.")
def main(
    url: str, cases: int, roles: Sequence[str], kinds: Sequence[str], examples: int, rows: int
) -> None:
    """Call a running Rollbook so many times at least; end with 1 if it answered otherwise."""
    made, is_clean = 0, True
    for seed in count(1):
        for role in roles:
            known = furnish(url, _bearer(Role.HR_ADMIN, "admin"))
            bearer = _bearer(role, known["employee_id"][0])
            for phases in kinds:
                most = rows if phases == IN_A_ROW else examples
                outcome = fuzz(url, bearer, known, seed=seed, examples=most, phases=phases)
                made += outcome.cases
                has_worked = outcome.cases and (outcome.links or phases != IN_A_ROW)
                is_clean = is_clean and outcome.is_clean
                click.echo(
                    f"{role}, seed {seed}, {phases}: {outcome.cases} cases,"
                    f" {outcome.links} links, {made} cases in all"
                )
                if not (outcome.is_clean and has_worked):
                    click.echo(outcome.report)
                if not has_worked:
                    sys.exit(1)
        # Never before each role had its turn.
        if made >= cases:
            sys.exit(0 if is_clean else 1)


def _bearer(role: str, employee: str) -> str:
    command = [sys.executable, "-m", "rollbook", "token", "--role", role, "--employee", employee]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
