"""The API beside plain CRUD of the same endpoints, and beside the least that Flask can do.

python -m benchmarks.api [--enrollments 10000] [--rounds 5] [--database URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.api_commands import COMMANDS, Commands
from benchmarks.clients import Rates, take_turns
from benchmarks.crud.filling import fill as fill_crud
from benchmarks.report import publish, table
from benchmarks.servers import connect_patiently, own_server, scratch_database
from benchmarks.serving import SETTINGS
from benchmarks.sides import APPLICATIONS, KEPT, Sides, fill_rollbook, sides

CLIENTS = (8, 64)
SECONDS = 1.0
SAMPLE = 200
OURS = ("rollbook", KEPT)

_SAMPLES = {
    "enrollment": "SELECT id::text FROM crud.enrollments ORDER BY id LIMIT %s",
    "program": "SELECT id::text FROM crud.programs ORDER BY id LIMIT %s",
    "certificate": "SELECT number FROM crud.certificates ORDER BY md5(number) LIMIT %s",
    "employee": "SELECT id FROM crud.employees ORDER BY md5(id) LIMIT %s",
}


def reads(url: str) -> Mapping[str, Sequence[str]]:
    """Return the paths that are read, by what they are."""
    with connect_patiently(url) as conn:
        found = {
            name: [value for (value,) in conn.execute(query.encode(), (SAMPLE,))]
            for name, query in _SAMPLES.items()
        }
    return {
        "list: enrollments": ["/enrollments?limit=50"],
        "list: enrollments of a status": ["/enrollments?status=in_progress&limit=50"],
        "list: enrollments in a program": [
            f"/enrollments?program_id={one}&limit=50" for one in found["program"]
        ],
        "list: programs": ["/programs?limit=50"],
        "list: certificates": ["/certificates?limit=50"],
        "one: enrollment": [f"/enrollments/{one}" for one in found["enrollment"]],
        "one: program": [f"/programs/{one}" for one in found["program"]],
        "one: certificate": [f"/certificates/{one}" for one in found["certificate"]],
    }


def measure_reads(
    compared: Sides, paths: Mapping[str, Sequence[str]], clients: int, rounds: int
) -> dict[str, Rates]:
    """Return the answers per second of each."""
    for asked in paths.values():
        compared.require_same(asked[0])
    for side in APPLICATIONS:
        for asked in paths.values():
            compared.ask(side, asked, clients, SECONDS / 2)
    return {
        what: take_turns(
            list(APPLICATIONS),
            rounds,
            lambda side, asked=asked: compared.ask(side, asked, clients, SECONDS).rate,  # type: ignore[misc]  # bound at once
        )
        for what, asked in paths.items()
    }


def measure(url: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return all rates by the number of clients, and the memory of the API's process."""
    found: dict[str, Any] = {}
    fill_rollbook(url, options.enrollments)
    fill_crud(url)
    with sides(url) as compared:
        paths = reads(url)
        rates = {
            clients: measure_reads(compared, paths, clients, options.rounds) for clients in CLIENTS
        }
        hello = compared.ask("hello", [], CLIENTS[-1], SECONDS)
        found["client_share_at_hello"] = hello.client_share
        with Commands(url, compared) as commands:
            for clients in CLIENTS:
                for what in COMMANDS:
                    rates[clients][what] = commands.measure(what, clients, options.rounds)
        found["memory_mib"] = compared.servers["rollbook"].memory_mib
        found["rates"] = rates
    return found


def shown(rates: Mapping[int, Mapping[str, Rates]]) -> str:
    """Return the ratios as a table."""
    rows = [
        [
            what,
            clients,
            one.ratio("rollbook", "crud"),
            *(one.ratio(side, "hello") if "hello" in one.rounds else "" for side in OURS),
            *(one.median(side) if side in one.rounds else "" for side in APPLICATIONS),
        ]
        for clients, measured in rates.items()
        for what, one in measured.items()
    ]
    header = ["", "clients", "to CRUD", "to hello", "again"]
    header += [f"{side}/s" for side in APPLICATIONS]
    return table(header, rows)


def main() -> None:
    """Measure and print the ratios."""
    options = parse()
    with ExitStack() as stack:
        server = options.database or stack.enter_context(own_server())
        with scratch_database(server) as scratch:
            found = measure(scratch.url, options)
        rates = found.pop("rates")
        found |= {"enrollments": options.enrollments, "settings": SETTINGS}
        text = (
            f"{options.enrollments:,} enrollments on both sides; "
            + ", ".join(f"{name} {value}" for name, value in SETTINGS.items())
            + f"\nthe API's process took {found['memory_mib']:.0f} MiB at {CLIENTS[-1]} clients;"
            f" the client {found['client_share_at_hello']:.0%} of a core at its fastest\n\n"
        ) + shown(rates)
        found["rates"] = {
            clients: {what: one.rounds for what, one in measured.items()}
            for clients, measured in rates.items()
        }
        publish("api", server, text, found)


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api")
    parser.add_argument("--enrollments", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", help="URL of a server on which scratch databases are made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
