"""The tables with the very rows that Rollbook's read tables have."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from benchmarks.crud.models import SCHEMA, Certificate, Employee, Enrollment, Program, Table

_CERTIFICATION = """jsonb_build_object(
    'offered', certification_offered, 'title', certification_title,
    'issued', certification_issued, 'valid_for_months', certification_valid_for_months
)"""
_SOURCES = {
    Employee: "rollbook.employees",
    Program: "rollbook_read.program_listing",
    Enrollment: "rollbook_read.enrollment_listing",
    Certificate: "rollbook_read.certificate_register",
}
_MADE = {"certification": _CERTIFICATION, "signature": "NULL::jsonb"}


def fill(url: str) -> None:
    """Make the tables in the database of Rollbook's, beside them, and fill them from there."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as conn:
        conn.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        Table.metadata.create_all(conn)
        for model, source in _SOURCES.items():
            names = [column.name for column in model.__table__.columns]
            values = ", ".join(_MADE.get(name, name) for name in names)
            conn.execute(
                text(
                    f"INSERT INTO {model.__table__} ({', '.join(names)})"  # noqa: S608  # constants
                    f" SELECT {values} FROM {source}"
                )
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE"))
    engine.dispose()
