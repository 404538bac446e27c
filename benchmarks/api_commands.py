"""Commands on both sides: enrolling, progress, completion, each of another enrollment.

The projector of the present's tables and the snapshotter run beside, as they do wherever Rollbook
runs.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from itertools import islice, product
from threading import Event
from typing import Any, Self

import msgspec

from benchmarks.clients import Rates, take_turns
from benchmarks.http_load import Run, drive, request
from benchmarks.servers import connect_patiently
from benchmarks.sides import PREFIX, Sides
from projections.tables import PRESENT_TABLES
from rollbook.assembly import event_codec, snapshot_codec
from workers import project as projector
from workers import snapshot as snapshotter

COMMANDS = ("enroll", "progress", "complete")
SIDES = ("rollbook", "crud")
A_ROUND = 300
PROGRAMS = 20
SEATS = 2_000

_BODIES = {"progress": {"percent": 40}, "complete": {"score_percent": 90}}
_EMPLOYEES = "SELECT id FROM crud.employees WHERE active ORDER BY md5(id)"
_COPY_PROGRAM = """
INSERT INTO crud.programs (id, status, version, revision, code, title, capacity, mandatory, tags,
    signature_required, certification, created_at, changed_at)
SELECT %s::text::uuid, 'published', 2, 1, %s, 'Measured', %s, false, '{}', false, %s, now(), now()
"""


class Commands:
    """Programs of which both sides have the same, with enough employees for all rounds."""

    def __init__(self, url: str, compared: Sides) -> None:
        self._url = url
        self._compared = compared
        self.programs: list[str] = []
        self._ids: dict[str, list[str]] = {side: [] for side in SIDES}
        spawn = multiprocessing.get_context("spawn")
        self._beside = [spawn.Process(target=one, args=(url,)) for one in (project, snapshot)]

    def __enter__(self) -> Self:
        """Make the programs, and let the projector and the snapshotter run."""
        for process in self._beside:
            process.start()
        self.programs = [self._program(number) for number in range(PROGRAMS)]
        with connect_patiently(self._url) as conn:
            employees = [found for (found,) in conn.execute(_EMPLOYEES)]
        pairs = [(program, employee) for employee, program in product(employees, self.programs)]
        self._pairs = {side: iter(pairs) for side in SIDES}
        return self

    def __exit__(self, *_: object) -> None:
        """End what runs beside."""
        for process in self._beside:
            process.kill()
            process.join()

    def ids(self, side: str) -> Sequence[str]:
        """Return the enrollments that were made last."""
        return self._ids[side]

    def measure(self, command: str, clients: int, rounds: int) -> Rates:
        """Return the commands per second of both sides; each enrollment goes through all three."""
        left = {side: iter(ids) for side, ids in self._ids.items()}
        if command == "enroll":
            self._ids = {side: [] for side in SIDES}

        def rate(side: str) -> float:
            if command == "enroll":
                return self._enroll(side, clients)
            return self._act(side, command, left[side], clients)

        return take_turns(SIDES, rounds, rate)

    def _enroll(self, side: str, clients: int) -> float:
        bodies = [
            {"program_id": program, "employee_id": employee}
            for program, employee in islice(self._pairs[side], A_ROUND)
        ]
        run = self._post(side, [("/enrollments", body) for body in bodies], clients)
        self._ids[side] += [msgspec.json.decode(body)["id"] for body in run.bodies]
        return run.rate

    def _act(self, side: str, command: str, ids: Iterator[str], clients: int) -> float:
        chosen = islice(ids, A_ROUND)
        paths = [(f"/enrollments/{one}/{command}", _BODIES[command]) for one in chosen]
        return self._post(side, paths, clients).rate

    def _post(self, side: str, wanted: Sequence[tuple[str, Any]], clients: int) -> Run:
        address, token = self._compared.servers[side].address, self._compared.token
        requests = [
            request("POST", PREFIX + path, address, token, msgspec.json.encode(body))
            for path, body in wanted
        ]
        return drive(address, requests, clients)

    def _program(self, number: int) -> str:
        """Make and publish a program, and give the other side the same."""
        certification = {"offered": True}
        body = {"code": f"M-{number}", "title": "Measured", "capacity": SEATS}
        made = self._post("rollbook", [("/programs", body | {"certification": certification})], 1)
        program_id = str(msgspec.json.decode(made.bodies[0])["id"])
        self._post("rollbook", [(f"/programs/{program_id}/publish", {})], 1)
        stored = msgspec.json.encode(certification | {"title": None}).decode()
        with connect_patiently(self._url) as conn:
            conn.execute(_COPY_PROGRAM.encode(), (program_id, body["code"], SEATS, stored))
        return program_id


def project(url: str) -> None:
    """Be the projector until killed."""
    projector.run(url, event_codec(), PRESENT_TABLES, Event())


def snapshot(url: str) -> None:
    """Be the snapshotter until killed."""
    snapshotter.run(url, event_codec(), snapshot_codec(), Event())
