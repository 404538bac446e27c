"""The fault suite in small; the long one is `python -m benchmarks.faults --events 1000000`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.faults.run import run


@pytest.mark.timeout(3600)
def test_whatever_is_killed_no_event_is_missed_repeated_or_out_of_order(
    database_url: str, tmp_path: Path
) -> None:
    events = int(os.environ.get("ROLLBOOK_FAULT_EVENTS", "3000"))
    outcome = run(database_url, tmp_path, events=events, writers=16, readers=2)
    assert outcome.events >= events
    assert outcome.as_it_should_be, outcome
