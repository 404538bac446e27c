"""The description of the API, for programs and for people."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, current_app

from api.access import Public, declares
from api.docs_page import SCRIPT, STYLE, page
from api.glossary import explain
from api.links import link
from api.problem_kinds import problem_kinds
from api.problem_page import problem_page
from api.problems import not_found
from api.wire import answer

docs = Blueprint("docs", __name__, url_prefix="/api/hr/training")


def description() -> dict[str, Any]:
    """Return the OpenAPI document of the present app."""
    extension = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    document: dict[str, Any] = extension.spec.to_dict()
    # Smorest's own way of paging, which is not ours.
    document["components"]["schemas"].pop("PaginationMetadataSchema", None)
    return link(explain(document))


@docs.get("/openapi.json")
@declares(Public.ANYBODY)
def openapi() -> Response:
    """Describe the API for programs."""
    return answer(description()).response(Response)


@docs.get("/docs")
@declares(Public.ANYBODY)
def docs_page() -> Response:
    """Describe the API for people; works without the internet."""
    return _html(page(description()), f"; connect-src 'self'; script-src {_hash(SCRIPT)}")


@docs.get("/problems/<code>")
@declares(Public.ANYBODY)
def problem(code: str) -> Response:
    """Tell people what a kind of problem means, and what to do about it."""
    for kind in problem_kinds():
        if kind.code == code:
            return _html(problem_page(kind), "")
    raise not_found("kind of problem", code)


def _html(text: str, scripts: str) -> Response:
    policy = (
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none';"
        f" style-src {_hash(STYLE)}{scripts}"
    )
    headers = {"Content-Security-Policy": policy}
    return Response(text, headers=headers, content_type="text/html; charset=utf-8")


def _hash(inline: str) -> str:
    digest = b64encode(sha256(inline.encode()).digest()).decode()
    return f"'sha256-{digest}'"
