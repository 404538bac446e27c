"""The API over a test's database, with a projector beside it, and callers of every role."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from flask import Flask
from werkzeug.datastructures import Headers

from api.app import create_app
from api.at_least import MAX_WAIT_SECONDS
from api.local_key import local_verifier, make_token, new_private_key
from api.policy import Policy
from api.services import Services
from directory.employees import Employee, Employees
from domain.training import Training
from eventlog.event_store import SealingEventStore
from eventlog.pool import Pool, open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.wakeup import Bell
from projections.positions import Positions
from projections.table import ReadTable
from projections.tables import ALL_TABLES
from rollbook.assembly import event_codec
from rollbook.migrate import FACTS
from rollbook.personal_data import PersonalData
from tests.api.contract import Contract
from tests.proof.world import SIGNER
from workers.project import run

BASE = "/api/hr/training"
KEY = new_private_key()
CODEC = event_codec()
HOUR = timedelta(hours=1)
KEPT_BYTES = 1 << 24

_numbers = count(1)


def token(*roles: str, subject: str = "", employee_id: str | None = None) -> str:
    """A good token for somebody of these roles."""
    who = subject or f"{roles[0] if roles else 'nobody'}-1"
    return make_token(KEY, subject=who, roles=roles, lifetime=HOUR, employee_id=employee_id)


def unique(prefix: str) -> str:
    """A word that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Headers
    data: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.data)

    @property
    def broken(self) -> dict[str, str]:
        """The rules that were broken, by field."""
        return {error["field"]: error["rule"] for error in self.json["errors"]}


class Caller:
    """Somebody who calls the API. Every answer is held to the description."""

    def __init__(self, app: Flask, contract: Contract, bearer: str | None) -> None:
        self.bearer = bearer
        self._contract = contract
        self._client = app.test_client()
        self._headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}

    def get(self, path: str, at_least: Answer | None = None, **options: Any) -> Answer:
        headers = dict(options.pop("headers", {}))
        if at_least is not None:
            headers["Rollbook-At-Least"] = at_least.headers["Rollbook-Position"]
            # A busy machine may take longer than the two seconds that are usual.
            headers.setdefault("Prefer", f"wait={MAX_WAIT_SECONDS}")
        return self.call("GET", path, headers=headers, **options)

    def post(self, path: str, body: Mapping[str, Any] | None = None, **options: Any) -> Answer:
        return self.call("POST", path, json=body or {}, **options)

    def put(self, path: str, body: Mapping[str, Any], **options: Any) -> Answer:
        return self.call("PUT", path, json=body, **options)

    def patch(self, path: str, body: Mapping[str, Any], **options: Any) -> Answer:
        return self.call("PATCH", path, json=body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.call("DELETE", path, **options)

    def call(self, method: str, path: str, **options: Any) -> Answer:
        headers = self._headers | dict(options.pop("headers", {}))
        full = path if path.startswith("/") else f"{BASE}/{path}"
        answer = self._client.open(full, method=method, headers=headers, **options)
        kind = answer.mimetype or ""
        self._contract.hold(method, full, answer.status_code, kind, answer.data)
        return Answer(answer.status_code, answer.headers, answer.data)


class Api:
    """The API, and what stands behind it."""

    def __init__(self, services: Services, url: str) -> None:
        self.services = services
        self.url = url
        self.app = create_app(services)
        self.contract = Contract(self.app)
        self.admin = self.role("hr_admin")
        self.instructor = self.role("instructor")
        self.auditor = self.role("auditor")
        self.service = self.role("service")

    @property
    def pool(self) -> Pool:
        return self.services.pool

    def role(self, *roles: str, employee_id: str | None = None) -> Caller:
        return self.with_token(token(*roles, employee_id=employee_id))

    def with_token(self, bearer: str | None) -> Caller:
        return Caller(self.app, self.contract, bearer)

    def employee(self, employee_id: str) -> Caller:
        return self.with_token(token("employee", subject=employee_id))

    def hire(self, *, name: str | None = None, department: str | None = None) -> str:
        """A new employee in the directory; the id."""
        employee_id = unique("staff")
        self.services.employees.put(
            Employee(employee_id, name or f"Name of {employee_id}", department=department)
        )
        self.services.sight.outlive()
        return employee_id

    def drafted(self, **fields: Any) -> dict[str, Any]:
        """A new program, as it was answered."""
        code = unique("P")
        answer = self.admin.post("programs", {"code": code, "title": f"Title of {code}"} | fields)
        assert answer.status == 201, answer.data
        return dict(answer.json)

    def published(self, **fields: Any) -> dict[str, Any]:
        """A new program in which one can enroll."""
        program = self.drafted(**fields)
        answer = self.admin.post(f"programs/{program['id']}/publish")
        assert answer.status == 200, answer.data
        return dict(answer.json)

    def enrolled(self, program_id: str, employee_id: str, **fields: Any) -> Answer:
        """An employee enrolled by HR."""
        body = {"program_id": program_id, "employee_id": employee_id} | fields
        answer = self.admin.post("enrollments", body)
        assert answer.status == 201, answer.data
        return answer

    def log_length(self) -> int:
        """How many events there are."""
        with self.pool.connection() as conn:
            row = conn.execute("SELECT count(*) FROM rollbook.events").fetchone()
            return int(row[0]) if row else 0


@contextmanager
def services_on(url: str) -> Iterator[Services]:
    """What the API works with, on the database at `url`; nothing projects."""
    bell = Bell(url)
    positions = Positions(url)
    with open_pool(url, 6) as pool:
        recorder = PostgresRecorder(pool, facts=FACTS, on_append=bell.ring)
        employees = Employees(recorder)
        training = Training(
            recorder, SealingEventStore(CODEC, recorder), employees, PersonalData(recorder)
        )
        try:
            yield Services(
                training,
                employees,
                pool,
                recorder,
                CODEC,
                positions,
                local_verifier(KEY),
                SIGNER,
                policy=Policy(kept_bytes=KEPT_BYTES),
            )
        finally:
            bell.close()
            positions.close()


@contextmanager
def projecting(url: str, tables: Sequence[ReadTable[Any]] = ALL_TABLES) -> Iterator[None]:
    """A projector of these tables, in a thread of its own."""
    stop = threading.Event()
    projector = threading.Thread(target=run, args=(url, CODEC, tables, stop))
    projector.start()
    try:
        yield
    finally:
        stop.set()
        projector.join()


@contextmanager
def running_api(url: str) -> Iterator[Api]:
    """The API on the database at `url`, with a projector beside it."""
    with projecting(url), services_on(url) as services:
        yield Api(services, url)
