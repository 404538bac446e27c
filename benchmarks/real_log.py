"""The log of real training records: those of the Open University (see docs/importing.md)."""

from __future__ import annotations

from pathlib import Path

from benchmarks.projecting import migrate_database
from benchmarks.servers import connect_patiently, scratch_database
from rollbook.importing.oulad import OuladImport
from rollbook.importing.oulad_files import read_oulad
from rollbook.importing.write_side import import_side

_BY_DAY = """
COPY (
    SELECT stream_id, version, topic, state FROM rollbook.events
    ORDER BY state ->> 'effective_at', md5(stream_id::text), version
) TO STDOUT
"""
_APPEND = "COPY rollbook.events (stream_id, version, topic, state) FROM STDIN"


def import_records(url: str, folder: Path) -> None:
    """Fill an empty log by `rollbook import oulad`: one enrollment after the other."""
    with import_side(url) as side:
        OuladImport(side, read_oulad(folder), lambda _enrollments: None).run()
    with connect_patiently(url) as conn:
        conn.execute("ANALYZE rollbook.events")


def import_day_by_day(url: str, folder: Path, server: str | None) -> None:
    """Fill an empty log with the same events in the order of the days on which they happened."""
    with scratch_database(server) as imported:
        migrate_database(imported.url)
        import_records(imported.url, folder)
        with (
            connect_patiently(imported.url) as source,
            connect_patiently(url) as conn,
            source.cursor().copy(_BY_DAY) as rows,
            conn.cursor().copy(_APPEND) as copy,
        ):
            for row in rows:
                copy.write(row)
    with connect_patiently(url) as conn:
        conn.execute("ANALYZE rollbook.events")
