"""What the log lines of a process look like."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from rollbook.logs import configure_logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers = []
    structlog.contextvars.clear_contextvars()
    yield
    root.handlers, root.level = handlers, level


def test_a_line_for_programs_is_one_json_object() -> None:
    stream = io.StringIO()
    configure_logs("api", "INFO", "auto", stream)
    with structlog.contextvars.bound_contextvars(correlation_id="abc"):
        logging.getLogger("somewhere").info("told %d", 7, extra={"status": 200})
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "told 7",
        "level": "info",
        "logger": "somewhere",
        "process": "api",
        "status": 200,
        "correlation_id": "abc",
    }


def test_an_exception_stays_on_its_line() -> None:
    stream = io.StringIO()
    configure_logs("api", "INFO", "json", stream)
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("somewhere").exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert "ZeroDivisionError" in json.loads(line)["exception"]


def test_a_line_for_people_is_no_json() -> None:
    stream = io.StringIO()
    configure_logs("api", "WARNING", "console", stream)
    logging.getLogger("somewhere").info("not told")
    logging.getLogger("somewhere").warning("told")
    assert "told" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
    assert "not told" not in stream.getvalue()
