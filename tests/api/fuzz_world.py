"""What a role finds when it calls the API in every way: an employee, programs, enrollments."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

BASE = "/api/hr/training"
PROGRAMS = 4

Ids = dict[str, list[str]]


def furnish(url: str, admin: str) -> Ids:
    """Make something of everything at `url` with the token of an `admin`; the ids of it by name."""

    headers = {"Authorization": f"Bearer {admin}"}

    def call(method: str, path: str, **body: Any) -> Any:
        answer = httpx.request(
            method, f"{url}{BASE}/{path}", json=body, headers=headers, timeout=60
        )
        return answer.raise_for_status().json()

    def program() -> str:
        certification = {"offered": True}
        code, title = str(uuid4()), "Fire safety"
        made = call("POST", "programs", code=code, title=title, certification=certification)
        call("POST", f"programs/{made['id']}/publish")
        return str(made["id"])

    employee = str(uuid4())
    call("PUT", f"employees/{employee}", name="Ada Byron", department="Research")
    programs = [program() for _ in range(PROGRAMS)]
    enrollments = [
        call("POST", "enrollments", program_id=program(), employee_id=employee)["id"]
        for _ in range(PROGRAMS)
    ]
    completed = call("POST", f"enrollments/{enrollments[0]}/complete")
    return {
        "employee_id": [employee],
        "program_id": programs,
        "enrollment_id": enrollments,
        "number": [completed["certificate_number"]],
    }
