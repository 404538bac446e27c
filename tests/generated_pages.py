"""Parts of the documentation that are written by tests: `make docs` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
OPTION = "--write-docs"


def hold(config: pytest.Config, page: str, part: str, text: str) -> None:
    """Fail when the part of a page between its two marks is not `text`, or write it."""
    file = DOCS / page
    before = file.read_text()
    mark = re.escape(f"<!-- {part} -->")
    after = re.sub(f"(?s)({mark}\n).*?({mark})", lambda m: f"{m[1]}{text}\n{m[2]}", before)
    if config.getoption(OPTION):
        file.write_text(after)
    else:
        assert after == before, f"docs/{page} is out of date; run: make docs"
    assert f"{text}\n<!-- {part} -->" in after, f"docs/{page} has no part {part}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
