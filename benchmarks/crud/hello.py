"""The least that Flask can do: what no endpoint on it can be faster than."""

from __future__ import annotations

from flask import Flask


def create_app() -> Flask:
    """Return an application that says hello."""
    app = Flask("hello", static_folder=None)
    app.add_url_rule("/hello", view_func=lambda: {"hello": "world"})
    return app
