"""Every filter and sort of the lists at a million enrollments, beside the same at ten thousand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

from api.certificate_reads import CertificateParameters
from api.enrollment_reads import EnrollmentParameters
from api.program_reads import ProgramParameters
from benchmarks.report import table
from benchmarks.servers import connect_patiently, scratch_database
from benchmarks.sides import Sides, fill_rollbook, sides

SIZES = (10_000, 1_000_000)
REQUESTS_SECONDS = 0.5
PERCENTS = 100
MS = 1000
LISTS = {
    "/programs": ProgramParameters,
    "/enrollments": EnrollmentParameters,
    "/certificates": CertificateParameters,
}
# What says how much is shown of which rows, not which rows.
_NO_FILTERS = {"cursor", "limit", "fields", "include", "format", "sort"}
# What a sort or a filter asks for beside it.
_ALONG = {"sort=score_percent": "score_min=40", "sort=-score_percent": "score_min=40"}

_IDS = """
SELECT program_id::text, employee_id, id::text FROM rollbook_read.enrollment_listing
WHERE status = 'completed' ORDER BY began_at LIMIT 1
"""
_WORDS = {
    "/programs": {"status": "published", "q": "course1"},
    "/enrollments": {"status": "in_progress", "q": "family42"},
    "/certificates": {"status": "valid"},
}


def questions(url: str) -> list[str]:
    """Return the path of each documented filter and each sort."""
    with connect_patiently(url) as conn:
        [(program, employee, enrollment)] = conn.execute(_IDS.encode()).fetchall()
    values = {
        "program_id": program,
        "employee_id": employee,
        "enrollment_id": enrollment,
        "department": "department 1",
        "category": "category 1",
        "level": "beginner",
        "delivery_mode": "online",
        "provider": "provider 1",
        "instructor": "e1",
        "tag": "safety",
        "expiring_within_days": "90",
        "score_min": "40",
        "score_max": "60",
    }
    return [
        question
        for path, parameters in LISTS.items()
        for question in _of_list(path, parameters().load_fields, values | _WORDS[path])
    ]


def _of_list(path: str, parameters: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    for name in parameters.keys() - _NO_FILTERS:
        yield f"{path}?{urlencode({name: values.get(name) or _made_up(name)})}&limit=50"
    for name in parameters["sort"].names:
        for sort in (f"sort={name}", f"sort=-{name}"):
            along = _ALONG.get(sort, "")
            yield f"{path}?{'&'.join(filter(None, (sort, along)))}&limit=50"


def _made_up(name: str) -> str:
    """Return the value of a range's end, or of a flag, which is whatever else there is."""
    if name.endswith("_from"):
        return "2025-01-01"
    return "2025-06-30" if name.endswith("_to") else "true"


def grow(server: str, rounds: int) -> tuple[dict[str, Any], str]:
    """Return the 99th percentiles in milliseconds, as they are and as a table."""
    with ExitStack() as stack:
        by_size: dict[int, Sides] = {}
        for size in SIZES:
            url = stack.enter_context(scratch_database(server)).url
            fill_rollbook(url, size)
            by_size[size] = stack.enter_context(sides(url, ["rollbook"]))
        found = {asked: _slowest(by_size, asked, rounds) for asked in sorted(questions(url))}
    rows = [
        [asked, p99[SIZES[1]] / p99[SIZES[0]], *(p99[size] for size in SIZES)]
        for asked, p99 in found.items()
    ]
    header = ["p99 of lists", "as multiple", *(f"ms at {size:,}" for size in SIZES)]
    return {"p99_ms": found}, table(header, rows)


def _slowest(by_size: Mapping[int, Sides], asked: str, rounds: int) -> dict[int, float]:
    """Return the 99th percentiles over all rounds, which take turns, of one client."""
    taken: dict[int, list[float]] = {size: [] for size in by_size}
    for number in range(rounds + 1):
        for size, compared in by_size.items():
            run = compared.ask("rollbook", [asked], 1, REQUESTS_SECONDS)
            if number > 0:  # The first one warms up.
                taken[size] += run.seconds
    return {
        size: quantiles(seconds, n=PERCENTS, method="inclusive")[-1] * MS
        for size, seconds in taken.items()
    }
