"""The API beside plain CRUD of the same endpoints, and beside the least that Flask can do.

python -m benchmarks.api [--enrollments 10000] [--rounds 5] [--database URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.api_commands import COMMANDS, Commands
from benchmarks.api_writing import PER_SECOND, corrections
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

Paths = Mapping[str, Sequence[str]]
"""What is read: by what it is, what is asked for in turn."""
Measured = dict[str, dict[str, Rates]]
"""Rates by the clients, and by what was asked."""

_SAMPLES = {
    "enrollment": "SELECT id::text FROM crud.enrollments ORDER BY id LIMIT %s",
    "program": "SELECT id::text FROM crud.programs ORDER BY id LIMIT %s",
    "certificate": "SELECT number FROM crud.certificates ORDER BY md5(number) LIMIT %s",
    "employee": "SELECT id FROM crud.employees ORDER BY md5(id) LIMIT %s",
}


def reads(url: str) -> Paths:
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
    compared: Sides, paths: Mapping[str, Paths], clients: int, rounds: int
) -> dict[str, Rates]:
    """Return the answers per second to each, by the sides that are asked."""
    for side, asked in paths.items():
        for one in asked.values():
            compared.ask(side, one, clients, SECONDS / 2)
    return {
        what: take_turns(
            list(paths),
            rounds,
            lambda side, what=what: compared.ask(side, paths[side][what], clients, SECONDS).rate,  # type: ignore[misc]  # bound at once
        )
        for what in next(iter(paths.values()))
    }


def measure_written(compared: Sides, paths: Paths, commands: Commands, rounds: int) -> Measured:
    """Return the answers per second while commands go on that concern all that is read."""
    # Those that there are by now have been completed.
    for what in ("enroll", "progress"):
        commands.measure(what, CLIENTS[0], 1)
    made_by = {KEPT: "rollbook", "crud": "crud"}
    read = {side: {**paths, **written(commands, by)} for side, by in made_by.items()}
    server = compared.servers["rollbook"]
    with corrections(server.address, compared.token, commands.ids("rollbook")[:SAMPLE]):
        return {
            f"{clients}, {PER_SECOND} commands/s": measure_reads(
                compared, read | {"hello": read[KEPT]}, clients, rounds
            )
            for clients in CLIENTS
        }


def written(commands: Commands, side: str) -> Paths:
    """Return the paths of what is written meanwhile."""
    in_program = [f"/enrollments?program_id={one}&limit=50" for one in commands.programs]
    return {
        "list: enrollments in a program": in_program,
        "one: enrollment": [f"/enrollments/{one}" for one in commands.ids(side)[:SAMPLE]],
        "one: program": [f"/programs/{one}" for one in commands.programs],
    }


def measure(url: str, options: argparse.Namespace) -> tuple[Measured, dict[str, Any]]:
    """Return all rates by the number of clients, and what else there is to say."""
    rounds = options.rounds
    fill_rollbook(url, options.enrollments)
    fill_crud(url)
    with sides(url) as compared:
        paths = reads(url)
        for asked in paths.values():
            compared.require_same(asked[0])
        by_side = dict.fromkeys(APPLICATIONS, paths)
        rates = {
            str(clients): measure_reads(compared, by_side, clients, rounds) for clients in CLIENTS
        }
        hello = compared.ask("hello", [], CLIENTS[-1], SECONDS)
        with Commands(url, compared) as commands:
            for clients in CLIENTS:
                for what in COMMANDS:
                    rates[str(clients)][what] = commands.measure(what, clients, rounds)
            rates |= measure_written(compared, paths, commands, rounds)
        memory_mib = compared.servers["rollbook"].memory_mib
    return rates, {"memory_mib": memory_mib, "client_share_at_hello": hello.client_share}


def shown(rates: Measured) -> str:
    """Return the ratios as a table."""
    compared = [(mine, other) for other in ("crud", "hello") for mine in OURS]
    rows = [
        [
            what,
            clients,
            *(one.ratio(*pair) if {*pair} <= {*one.rounds} else "" for pair in compared),
            *(one.median(side) if side in one.rounds else "" for side in APPLICATIONS),
        ]
        for clients, measured in rates.items()
        for what, one in measured.items()
    ]
    header = ["", "clients", "to CRUD", "again", "to hello", "again"]
    return table([*header, *(f"{side}/s" for side in APPLICATIONS)], rows)


def main() -> None:
    """Measure and print the ratios."""
    options = parse()
    with ExitStack() as stack:
        server = options.database or stack.enter_context(own_server())
        with scratch_database(server) as scratch:
            rates, found = measure(scratch.url, options)
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
