"""Counts the OULAD files by themselves, to be compared with what Rollbook says after an import.

It shares no code with Rollbook. As a program: `python tests/rollbook/oulad_count.py DIR`.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OUTCOMES = ("completed", "failed", "withdrawn", "cancelled")


def rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    plain = folder / f"{name}.csv"
    if plain.exists():
        with plain.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    else:
        with gzip.open(f"{plain}.gz", "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def count(folder: Path) -> dict[str, Any]:
    lengths = {
        (c["code_module"], c["code_presentation"]): int(c["module_presentation_length"])
        for c in rows(folder, "courses")
    }
    place = {
        a["id_assessment"]: (a["code_module"], a["code_presentation"])
        for a in rows(folder, "assessments")
    }
    left = {
        (r["code_module"], r["code_presentation"], r["id_student"]): r["date_unregistration"]
        for r in rows(folder, "studentRegistration")
    }
    students = {
        (s["code_module"], s["code_presentation"], s["id_student"]): s
        for s in rows(folder, "studentInfo")
    }
    recorded, skipped, scores = _submissions(folder, place, left, students, lengths)
    return _figures(students, recorded, scores, len(lengths)) | {
        "submissions_after_withdrawal": skipped
    }


def _submissions(
    folder: Path,
    place: dict[str, tuple[str, str]],
    left: dict[tuple[str, str, str], str],
    students: dict[tuple[str, str, str], dict[str, str]],
    lengths: dict[tuple[str, str], int],
) -> tuple[Counter[tuple[str, str, str]], int, dict[tuple[str, str, str], list[float]]]:
    recorded: Counter[tuple[str, str, str]] = Counter()
    scores: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    skipped = 0
    for submission in rows(folder, "studentAssessment"):
        key = (*place[submission["id_assessment"]], submission["id_student"])
        last_day = left[key]
        if not last_day and students[key]["final_result"] == "Withdrawn":
            last_day = str(lengths[key[:2]])
        if last_day and int(submission["date_submitted"]) > int(last_day):
            skipped += 1
            continue
        recorded[key] += 1
        if submission["score"]:
            scores[key].append(float(submission["score"]))
    return recorded, skipped, scores


def _figures(
    students: dict[tuple[str, str, str], dict[str, str]],
    recorded: Counter[tuple[str, str, str]],
    scores: dict[tuple[str, str, str], list[float]],
    programs: int,
) -> dict[str, Any]:
    by: dict[str, dict[str, Counter[str]]] = {
        name: defaultdict(Counter) for name in ("program", "category", "department")
    }
    total: Counter[str] = Counter()
    best: dict[str, list[float]] = defaultdict(list)
    for (module, presentation, student_id), info in students.items():
        key = (module, presentation, student_id)
        outcome = _outcome(info["final_result"], started=key in recorded)
        total[outcome] += 1
        by["program"][f"{module}-{presentation}"][outcome] += 1
        by["category"][module][outcome] += 1
        by["department"][info["region"]][outcome] += 1
        if outcome == "completed" and scores.get(key):
            best[f"oulad-{student_id}"].append(round(sum(scores[key]) / len(scores[key]), 2))
    completed, failed, withdrawn, cancelled = (total[outcome] for outcome in OUTCOMES)
    return {
        "programs": programs,
        "employees": len({key[2] for key in students}),
        "enrollments": len(students),
        "progress": sum(recorded.values()),
        "certificates": completed,
        "outcomes": _all_of(total),
        "completion_rate": completed / (completed + failed + withdrawn),
        "pass_rate": completed / (completed + failed),
        "cancelled": cancelled,
        **{f"by_{name}": {k: _all_of(v) for k, v in found.items()} for name, found in by.items()},
        "top_performers": _top(best, at_least=2, limit=10),
        "events": len(students) * 2
        + sum(recorded.values())
        + completed
        + 3 * programs
        + len(by["program"]),
    }


def _outcome(final_result: str, *, started: bool) -> str:
    if final_result == "Withdrawn":
        return "withdrawn" if started else "cancelled"
    return "failed" if final_result == "Fail" else "completed"


def _all_of(outcomes: Counter[str]) -> dict[str, int]:
    return {outcome: outcomes[outcome] for outcome in OUTCOMES}


def _top(best: dict[str, list[float]], at_least: int, limit: int) -> list[list[Any]]:
    means: list[list[Any]] = [
        [employee, round(sum(scores) / len(scores), 6)]
        for employee, scores in best.items()
        if len(scores) >= at_least
    ]
    return sorted(means, key=lambda one: (-one[1], one[0]))[:limit]


if __name__ == "__main__":
    json.dump(count(Path(sys.argv[1])), sys.stdout, indent=2)
