"""The application of one process."""

from __future__ import annotations

from flask import Flask, Response, jsonify
from marshmallow import ValidationError
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from benchmarks.crud.commands import commands
from benchmarks.crud.reads import reads
from benchmarks.crud.tokens import public_key
from rollbook.settings import Settings

PREFIX = "/api/hr/training"


def create_app() -> Flask:
    """Return the application with as many connections as Rollbook's."""
    settings = Settings.read()
    app = Flask("crud", static_folder=None)
    url = str(settings.database_url).replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, pool_size=settings.pool_size, max_overflow=0)
    app.config["SESSIONS"] = sessionmaker(engine, expire_on_commit=False)
    app.config["KEY"] = public_key(settings.token_key)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    app.json.compact = True  # type: ignore[attr-defined]
    app.register_blueprint(reads, url_prefix=PREFIX)
    app.register_blueprint(commands, url_prefix=PREFIX)
    app.register_error_handler(ValidationError, _invalid)
    return app


def _invalid(error: ValidationError) -> tuple[Response, int]:
    return jsonify(errors=error.messages), 422
