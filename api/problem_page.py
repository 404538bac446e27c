"""The page about one kind of problem, where the `type` of such problems leads."""

from __future__ import annotations

from html import escape

from api.docs_page import STYLE
from api.problem_kinds import ProblemKind


def problem_page(kind: ProblemKind) -> str:
    """Return the page about problems of this `kind`."""
    return "\n".join(
        (
            "<!doctype html><html lang=en><meta charset=utf-8>",
            f"<title>{escape(kind.title)}</title><style>{STYLE}</style>",
            f"<h1>{escape(kind.title)}</h1>",
            f"<p><code>{escape(kind.code)}</code>, status {int(kind.status)}",
            f"<p>{escape(kind.meaning)}",
            f"<p>{escape(kind.remedy)}",
            "<p><a href=../docs>All operations and problems</a></html>",
        )
    )
