"""How much memory there is."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from rollbook.embedded_postgres import shared_buffers
from rollbook.memory import memory_bytes

MIB = 1 << 20


def test_a_container_has_what_it_may_take(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    machine = psutil.virtual_memory().total
    assert memory_bytes((limit,)) == machine
    for text in ("max\n", "9223372036854771712\n"):
        limit.write_text(text)
        assert memory_bytes((limit,)) == machine
    limit.write_text(f"{300 * MIB}\n")
    assert memory_bytes((tmp_path / "none", limit)) == 300 * MIB


@pytest.mark.parametrize(
    ("memory_mib", "buffers"), [(256, "128MB"), (2_000, "500MB"), (16_000, "4000MB")]
)
def test_postgres_takes_a_quarter_of_it_within_bounds(memory_mib: int, buffers: str) -> None:
    assert shared_buffers(memory_mib * MIB) == buffers


def test_postgres_takes_no_more_than_it_can_use() -> None:
    assert shared_buffers(1_000_000 * MIB) == "8192MB"
