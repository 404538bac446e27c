"""What every benchmark says about where it ran, and how it writes down what it found."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import psycopg

RESULTS = Path(__file__).parent / "results"

# Larger figures are shown without a fraction.
_WHOLE_FROM = 100

_SETTINGS = ("server_version", "fsync", "synchronous_commit", "shared_buffers", "max_wal_size")


def surroundings(url: str) -> dict[str, Any]:
    """The machine, and the database's settings that matter for speed."""
    with psycopg.connect(url) as conn:
        settings = {
            name: conn.execute("select current_setting(%s)", (name,)).fetchone()
            for name in _SETTINGS
        }
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "postgresql": {name: row[0] if row else None for name, row in settings.items()},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell, numbers to the right."""
    cells = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    )


def _cell(value: object) -> str:
    match value:
        case float():
            return f"{value:,.2f}" if value < _WHOLE_FROM else f"{value:,.0f}"
        case int():
            return f"{value:,}"
    return str(value)


def publish(name: str, url: str, text: str, results: Mapping[str, Any]) -> None:
    """Prints the text below where it ran, and writes all of it as JSON beside the others."""
    where = surroundings(url)
    database = ", ".join(f"{key} {value}" for key, value in where["postgresql"].items())
    print(f"{where['processor']}, {where['cores']} cores, {where['memory_gib']} GiB, ", end="")
    print(f"Python {where['python']}\n{database}\n\n{text}")
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps({"where": where, **results}, indent=1) + "\n")
    print(
        f"\nwritten to {file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}"
    )
