"""Lists to ask for: every filter and every order alone, and the usual combinations.

`{employee}` and the like stand for another one each time. Where one value would match fewer rows
than a page at ten thousand enrollments, there are several, and a name is as long as it takes to
mean the same number of employees: the pages of all sizes are alike. One program has few enrollments
there, so a page of some of these is a short one. What has no `?` has no pages.
"""

from __future__ import annotations

import hashlib
from random import Random
from urllib.parse import quote
from uuid import UUID

from benchmarks.made_up_tables import DEPARTMENTS, PER_EMPLOYEE, PROGRAMS

PAGE_ROWS = 50
CATEGORIES = 20
SHARED_EMPLOYEES = 1_000
"""So many there are in the smallest tables."""

_DAYS = "{kind}_from=2025-01-01&{kind}_to=2025-03-31"

ENROLLMENTS = (
    "",
    "status=failed",
    "status=completed,failed",
    "program_id={program}",
    "{employees}",
    "department={department}",
    "category={category}",
    "overdue=true",
    "overdue=false",
    "overdue=true&sort=-due_on",
    "overdue=false&sort=-due_on",
    "category={category}&overdue=true",
    "category={category}&overdue=false",
    "department={department}&overdue=false",
    "program_id={program}&program_id={another}&program_id={third}&overdue=false",
    "q={name}",
    "q={course}",
    "began_from=2025-01-01",
    "began_to=2025-03-31",
    _DAYS.format(kind="began"),
    "due_from=2025-01-01",
    "due_to=2025-03-31",
    _DAYS.format(kind="due"),
    "ended_from=2025-01-01",
    "ended_to=2025-03-31",
    _DAYS.format(kind="ended"),
    "score_min=60",
    "score_max=60",
    "sort=began_at",
    "sort=due_on",
    "sort=-due_on",
    "sort=ended_at",
    "sort=-ended_at",
    "score_min=0&sort=score_percent",
    "score_min=0&sort=-score_percent",
    "sort=-began_at",
    "sort=employee_id",
    "sort=-employee_id",
    "sort=-began_at,employee_id",
    "sort=began_at,-employee_id",
    "sort=employee_id,-began_at",
    "due_from=2025-01-01&sort=due_on,employee_id",
    "due_from=2025-01-01&sort=-due_on,employee_id",
    "ended_from=2025-01-01&sort=-ended_at,employee_id",
    "ended_from=2025-01-01&sort=ended_at,-began_at",
    "score_min=90&sort=-score_percent,employee_id",
    "program_id={program}&program_id={another}&program_id={third}&status=completed",
    "program_id={program}&sort=due_on",
    "program_id={program}&sort=-ended_at",
    "program_id={program}&sort=employee_id",
    "category={category}&status=completed",
    "category={category}&sort=-ended_at",
    "category={category}&sort=due_on",
    "department={department}&status=completed",
    "department={department}&sort=due_on",
    "department={department}&sort=-ended_at",
    "department={department}&sort=employee_id",
    "department={department}&category={category}",
    "department={department}&category={category}&sort=due_on",
    "department={department}&q={course}",
    "department={department}&q={name}",
    "category={category}&began_from=2025-01-01",
    "category={category}&score_min=60",
    "q={course}&sort=employee_id",
    "q={course}&sort=due_on",
    "q={course}&overdue=true",
    "q={course}&ended_from=2025-01-01",
    "q={name}&sort=-ended_at",
    "q={name}&overdue=false",
    "department={department}&overdue=true",
    "department={department}&score_min=60",
    "department={department}&status=completed&ended_from=2025-01-01",
    "program_id={program}&program_id={another}&program_id={third}&overdue=true",
    "program_id={program}&program_id={another}&program_id={third}&score_min=0",
    "status=in_progress&overdue=true",
    "status=completed&sort=-ended_at",
    "status=enrolled,in_progress&sort=due_on",
    "{employees}&sort=due_on",
    "{employees}&sort=-due_on,employee_id",
    "{employees}&began_from=2024-06-01&score_min=60",
)
OF_A_PROGRAM = (
    "",
    "status=completed&limit=4",
    "{employees}&limit=4",
    "department={department}&limit=4",
    "overdue=true&limit=4",
    "overdue=false&limit=4",
    "began_from=2025-01-01&limit=4",
    "began_to=2025-03-31&limit=4",
    "due_from=2025-01-01&limit=4",
    "due_to=2025-03-31&limit=4",
    "ended_from=2025-01-01&limit=4",
    "ended_to=2025-03-31&limit=4",
    "score_min=60&limit=4",
    "score_max=60&limit=4",
    "sort=began_at",
    "sort=-began_at",
    "sort=due_on",
    "sort=-due_on",
    "sort=ended_at",
    "sort=-ended_at",
    "score_min=0&sort=score_percent&limit=4",
    "score_min=0&sort=-score_percent&limit=4",
    "sort=employee_id",
    "sort=-employee_id",
)
CERTIFICATES = (
    "",
    "status=valid",
    "status=expired",
    "status=revoked",
    "program_id={program}&program_id={another}&program_id={third}",
    "{employees}",
    "expiring_within_days=90",
    "issued_from=2025-01-01",
    "issued_to=2025-03-31",
    _DAYS.format(kind="issued"),
    "valid_until_from=2026-01-01",
    "valid_until_to=2026-03-31",
    "valid_until_from=2026-01-01&sort=-valid_until",
    "program_id={program}&program_id={another}&sort=valid_until",
    "enrollment_id={enrollment}",
    "sort=issued_at",
    "sort=-issued_at",
    "sort=valid_until",
    "sort=-valid_until",
    "status=valid,revoked",
    "status=valid&issued_from=2025-01-01",
    "{employees}&status=expired&issued_from=2024-06-01",
    "program_id={program}&program_id={another}&program_id={third}&status=valid",
)
EMPLOYEES_OF_THE_DIRECTORY = (
    "",
    "{managers}",
    "department={department}",
    "active=true",
    "active=false",
    "q={name}",
    "q={name}&sort=id",
    "q={name}&sort=-id",
    "q={name}&active=true",
    "sort=name",
    "sort=-name",
    "sort=id",
    "sort=-id",
    "department={department}&active=true",
    "department={department}&sort=id",
)
PROGRAMS_OF_THE_CATALOG = (
    "",
    "status=published",
    "level=beginner",
    "delivery_mode=online",
    "category={category}",
    "provider=provider%201",
    "instructor=e5",
    "tag=safety",
    "mandatory=true",
    "certification_offered=true",
    "has_free_seats=true",
    "q={course}",
    "starts_from=2024-03-01",
    "starts_to=2024-03-01",
    "ends_from=2024-03-01",
    "ends_to=2024-03-01",
    "deadline_from=2024-03-01",
    "deadline_to=2024-03-01",
    "sort=title",
    "sort=-title",
    "sort=code",
    "sort=-code",
    "sort=created_at",
    "sort=-created_at",
    "sort=starts_on",
    "sort=-starts_on",
    "status=published&sort=starts_on",
)

QUESTIONS = (
    *(f"enrollments?{one}" for one in ENROLLMENTS),
    *(f"programs/{{program}}/enrollments?{one}" for one in OF_A_PROGRAM),
    "programs/{program}/waitlist?limit=4",
    *(f"certificates?{one}" for one in CERTIFICATES),
    *(f"employees?{one}" for one in EMPLOYEES_OF_THE_DIRECTORY),
    *(f"programs?{one}" for one in PROGRAMS_OF_THE_CATALOG),
    "employees/e{employee}/transcript",
    "legal-holds?",
    "legal-holds?sort=placed_at",
    "legal-holds?sort=-placed_at",
    "me",
)


def path_of(question: str, number: int, enrollments: int) -> str:
    """Return the path to ask for in this round, in tables of so many enrollments."""
    has_pages = "?" in question and "limit=" not in question
    chosen = Random(number)  # noqa: S311  # nothing secret
    programs = chosen.sample(range(PROGRAMS), 3)
    employee = chosen.randrange(SHARED_EMPLOYEES - 6)
    manager = chosen.randrange(SHARED_EMPLOYEES // PER_EMPLOYEE - 6)
    # Ten times the employees have names with a digit more, of which all that begin so are found.
    hundredth = enrollments // PER_EMPLOYEE // 100
    path = question.format(
        program=_id("p", programs[0]),
        another=_id("p", programs[1]),
        third=_id("p", programs[2]),
        department=quote(f"department {chosen.randrange(DEPARTMENTS)}"),
        category=quote(f"category {chosen.randrange(CATEGORIES)}"),
        course=f"course{chosen.randrange(20, 100)}",
        name=f"family{chosen.randrange(hundredth // 10, hundredth)}",
        enrollment=_id("e", employee),
        employee=employee,
        employees="&".join(f"employee_id=e{employee + n}" for n in range(6)),
        managers="&".join(f"manager=e{manager + n}" for n in range(6)),
    )
    return f"{path}&limit={PAGE_ROWS}" if has_pages else path


def _id(kind: str, number: int) -> UUID:
    digest = hashlib.md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest()
    return UUID(digest)
