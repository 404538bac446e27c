"""Read tables of any size, made up in PostgreSQL itself: what a projector would have written.

The same size gives the same rows. Ten enrollments an employee, over three years.
"""

from __future__ import annotations

from eventlog.pool import Connection

PROGRAMS = 200
DEPARTMENTS = 20
PER_EMPLOYEE = 10
HOLDS = 60

_EMPLOYEES = """
INSERT INTO rollbook.employees (id, name, email, department, manager, active, version)
SELECT 'e' || n, (ARRAY['Ada', 'Ben', 'Cyd', 'Dan', 'Eve'])[1 + n %% 5] || ' Family' || n,
       'e' || n || '@example.org', 'department ' || n %% {departments}, 'e' || n / 10,
       n %% 20 <> 0, 1
FROM generate_series(0, {employees} - 1) n
"""

_PROGRAMS = """
INSERT INTO rollbook_read.program_listing
    (id, status, version, revision, code, title, category, level, delivery_mode, provider,
     instructor, duration_hours, starts_on, cost, currency, mandatory, tags, signature_required,
     certification_offered, certification_issued, seats_taken, waiting, created_at, published_at,
     changed_at)
SELECT md5('p' || n)::uuid, CASE WHEN n %% 10 = 0 THEN 'closed' ELSE 'published' END, 2, 1,
       'P-' || n, 'Course' || n || ' of training', 'category ' || n %% 20,
       (ARRAY['beginner', 'intermediate', 'advanced'])[1 + n %% 3],
       (ARRAY['online', 'classroom'])[1 + n %% 2], 'provider ' || n %% 5, 'e' || n, 8,
       '2024-01-01'::date + n, 100, 'EUR', n %% 7 = 0, '{{}}', false,
       true, 'automatically', 0, 0, '2024-01-01'::timestamptz + n * interval '1 hour',
       '2024-01-02', '2024-01-02'
FROM generate_series(0, {programs} - 1) n
"""

# Scattered over the table as real ones are, by multiplying with primes.
_ENROLLMENTS = """
INSERT INTO rollbook_read.enrollment_listing
    (id, program_id, employee_id, status, version, cycle, source, department, program_revision,
     due_on, percent, score_percent, past_cycles, grade, certificate_number, began_at,
     enrolled_at, started_at, ended_at, changed_at)
SELECT md5('e' || n)::uuid, md5('p' || program)::uuid, 'e' || employee, status, 7, 1, 'import',
       'department ' || employee %% {departments}, 1,
       CASE WHEN n %% 3 <> 0 THEN began::date + 60 END,
       CASE status WHEN 'completed' THEN 100 ELSE n %% 90 END,
       CASE WHEN status IN ('completed', 'failed') THEN 20 + n * 7919 %% 8001 / 100.0 END, '[]',
       NULL,
       CASE status WHEN 'completed'
            THEN to_char(n, 'FM"RB-"00000"-"00000"-"00000"-"00000') END,
       began, began,
       CASE WHEN status NOT IN ('enrolled', 'waitlisted') THEN began + interval '1 day' END,
       CASE WHEN status IN ('completed', 'failed', 'withdrawn')
            THEN began + interval '1 minute' * (1440 + n * 31 %% 60000) END,
       began + interval '42 days'
FROM (
    SELECT n, employee, (employee * 7 + n %% {per_employee} * 19) %% {programs} AS program,
           (ARRAY['completed', 'completed', 'completed', 'completed', 'completed', 'completed',
                  'in_progress', 'in_progress', 'enrolled', 'failed', 'withdrawn', 'waitlisted'])
           [1 + n * 104729 %% 12] AS status,
           '2023-11-01'::timestamptz + interval '1 second' * (n * 7919 %% 94608000) AS began
    FROM (
        SELECT n, n / {per_employee} AS employee
        FROM generate_series(0::bigint, {enrollments} - 1) n
    ) o
) e
"""

_CERTIFICATES = """
INSERT INTO rollbook_read.certificate_register
SELECT certificate_number, CASE WHEN score_percent < 22 THEN 'revoked' ELSE 'issued' END, 7, id,
       program_id, employee_id, 1, 'Certificate', ended_at::date,
       CASE WHEN score_percent < 70 THEN ended_at::date + 700 END, ended_at, NULL, ended_at
FROM rollbook_read.enrollment_listing WHERE certificate_number IS NOT NULL
"""

_WAITING = """
INSERT INTO rollbook_read.waiting_list
SELECT id, program_id, employee_id,
       row_number() OVER (PARTITION BY program_id ORDER BY began_at, id), began_at
FROM rollbook_read.enrollment_listing WHERE status = 'waitlisted'
"""

_HOLDS = """
INSERT INTO rollbook_read.legal_holds
SELECT 'e' || n, 1, 'Case ' || n, 'auditor-1', '2025-01-01'::timestamptz + n * interval '1 hour'
FROM generate_series(0, {holds} - 1) n
"""

_COUNTED = ", ".join(
    f"count(*) FILTER (WHERE {condition})"
    for condition in (
        "status = 'waitlisted'",
        "status = 'enrolled'",
        "status = 'in_progress'",
        "status = 'completed'",
        "status = 'failed'",
        "status = 'withdrawn' AND started_at IS NOT NULL",
        "status = 'withdrawn' AND started_at IS NULL",
    )
)


def _month(day: str) -> str:
    return f"date_trunc('month', {day})::date"


def _by_day(name: str, day: str) -> dict[str, str]:
    return {
        name: day,
        f"{name}_in_departments": f"department, {day}",
        f"{name}_in_programs": f"program_id, {_month(day)}",
    }


_PERCENT_FROM = "floor(score_percent / 5) * 5"
_ENROLLMENT_SUMMARIES = {
    "enrollment_counts": "program_id, department",
    **_by_day("enrollments_by_beginning", "began_at::date"),
    **_by_day("enrollments_by_due_day", "due_on"),
    **_by_day("enrollments_by_end", "ended_at::date"),
    "enrollments_by_score": "round(score_percent * 100)",
    "enrollments_by_score_in_departments": f"department, {_PERCENT_FROM}",
    "enrollments_by_score_in_programs": f"program_id, {_PERCENT_FROM}",
}
_WAITING_SUMMARIES = {"waiting_counts": "program_id"}
_LAST_DAY = "coalesce(valid_until, '9999-12-31')"
_CERTIFICATE_SUMMARIES = {
    "certificate_counts": "program_id, status",
    "certificates_by_last_day": f"{_LAST_DAY}, status",
    "certificates_by_last_day_in_programs": f"program_id, {_month(_LAST_DAY)}, status",
    "certificates_by_issue": "issued_at::date, status",
    "certificates_by_issue_in_programs": f"program_id, {_month('issued_at::date')}, status",
}


def fill(conn: Connection, enrollments: int) -> None:
    """Fill the read tables and the directory, which must be there and empty, at position 1."""
    conn.execute("SET statement_timeout = 0; SET timezone = 'UTC'")
    sizes = {
        "programs": PROGRAMS,
        "departments": DEPARTMENTS,
        "per_employee": PER_EMPLOYEE,
        "enrollments": enrollments,
        "employees": enrollments // PER_EMPLOYEE,
        "holds": HOLDS,
    }
    for statement in (_EMPLOYEES, _PROGRAMS, _ENROLLMENTS, _CERTIFICATES, _WAITING, _HOLDS):
        conn.execute(statement.format(**sizes).replace("%%", "%").encode())
    for name, key in _ENROLLMENT_SUMMARIES.items():
        _sum_up(conn, name, key, _COUNTED, "enrollment_listing")
    for name, key in _WAITING_SUMMARIES.items():
        _sum_up(conn, name, key, "count(*)", "waiting_list")
    for name, key in _CERTIFICATE_SUMMARIES.items():
        _sum_up(conn, name, key, "count(*)", "certificate_register")
    conn.execute("UPDATE rollbook_read.progress SET position = 1")
    conn.execute("VACUUM ANALYZE")


def _sum_up(conn: Connection, name: str, key: str, amounts: str, table: str) -> None:
    grouped = f"SELECT {key}, {amounts} FROM rollbook_read.{table} GROUP BY {key}"  # noqa: S608
    complete = f"SELECT * FROM ({grouped}) s WHERE s IS NOT NULL"  # noqa: S608
    conn.execute(f"INSERT INTO rollbook_read.{name} {complete}".encode())
