"""Takes over a team's employees into the directory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from directory.employees import Employee
from rollbook.importing.columns import Parsed, Report, Sheet
from rollbook.importing.staff import Staff

CHUNK_EMPLOYEES = 1_000


def import_employees(staff: Staff, sheet: Sheet, report: Report) -> Counter[str]:
    """Put the employees of `sheet` into the directory; count those added, changed, unchanged.

    What the file has no column for stays as it is. Bad rows are reported.
    """
    counts: Counter[str] = Counter()
    rows = _each_once(sheet, report, counts)
    while chunk := list(islice(rows, CHUNK_EMPLOYEES)):
        erased = staff.erased([row.values["id"] for row in chunk])
        for row in chunk:
            if row.values["id"] in erased:
                report(sheet.problem(row.line, "id", "is of an employee who was erased"))
        counts += _put(staff, [row for row in chunk if row.values["id"] not in erased])
    return counts


def _put(staff: Staff, rows: Sequence[Parsed]) -> Counter[str]:
    known = staff.find_many([row.values["id"] for row in rows])
    after = {row.values["id"]: _merged(known.get(row.values["id"]), row) for row in rows}
    changed = [employee for key, employee in after.items() if known.get(key) != employee]
    staff.put_many(changed)
    added = sum(employee.id not in known for employee in changed)
    return Counter(added=added, changed=len(changed) - added, unchanged=len(after) - len(changed))


def _merged(known: Employee | None, row: Parsed) -> Employee:
    values = {**row.values}
    if values.get("active") is None:
        # An empty field says nothing; everybody else's is emptied by it.
        values.pop("active", None)
    return replace(known or Employee(id=values["id"]), **values)


def _each_once(sheet: Sheet, report: Report, counts: Counter[str]) -> Iterator[Parsed]:
    seen: dict[str, tuple[int, int]] = {}
    for row in sheet.rows(report):
        contents = hash(tuple(row.values.items()))
        line, before = seen.setdefault(row.values["id"], (row.line, contents))
        if line == row.line:
            yield row
        elif before == contents:
            counts["unchanged"] += 1
        else:
            report(sheet.problem(row.line, "id", f"is in line {line} already, with other values"))
