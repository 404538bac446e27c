"""Everything Rollbook is told by its environment, read once, in this file alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from rollbook.setting_values import (
    Bind,
    Environment,
    bind,
    folder,
    one_of,
    origin,
    origins,
    safe_url,
    secret,
    token,
    url,
    whole,
)

LOG_FORMATS = ("auto", "json", "console")
TRACE_EXPORTERS = ("otlp", "console", "none")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
DATABASE_SCHEMES = ("postgresql", "postgres")
REDIS_SCHEMES = ("redis", "rediss", "unix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """Who vouches for callers, when that is not the local key.

    `roles_claim` may be a path through nested claims, as `realm_access.roles`. `employee_claim`
    holds the id of the employee that the caller is.
    """

    issuer: str
    audience: str
    roles_claim: str
    employee_claim: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """How the state of the log is signed, and where else the signed checkpoints are brought.

    `origin` names the log in its checkpoints and its key.
    """

    key: Path
    origin: str
    seconds: int
    file: Path | None
    webhook: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What Rollbook is told from outside; `None` urls mean the embedded servers.

    `home` is absolute. `api_threads`, `pool_size` and
    `kept_answers_mib` count per API process. `traces` names
    what sends them, or is None. Printing it never shows a password.
    """

    home: Path
    database_url: str | None
    redis_url: str | None
    bind: Bind
    log_level: str
    log_format: str
    api_workers: int
    api_threads: int
    pool_size: int
    kept_answers_mib: int
    client_seconds: int
    token_key: Path
    oidc: Oidc | None
    origins: tuple[str, ...]
    proxies: int
    metrics_token: str | None
    max_lag: int
    caller_requests: int
    stranger_requests: int
    checkpoints: Checkpoints
    traces: str | None
    stop_grace_seconds: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from `environment`, which is `os.environ` outside of tests.

        Raises BadSetting, naming the variable and the rule, for the first bad value.
        """
        source = Environment(environment)
        home = source.value("ROLLBOOK_HOME", folder, Path(".rollbook").resolve())
        threads = source.value("ROLLBOOK_API_THREADS", whole(1, 64), 8)
        return cls(
            home=home,
            database_url=source.value("DATABASE_URL", url(DATABASE_SCHEMES), None),
            redis_url=source.value("REDIS_URL", url(REDIS_SCHEMES), None),
            bind=source.value("ROLLBOOK_BIND", bind, Bind("127.0.0.1", 8000)),
            log_format=source.value("ROLLBOOK_LOG_FORMAT", one_of(LOG_FORMATS), "auto"),
            log_level=source.value("ROLLBOOK_LOG_LEVEL", one_of(LOG_LEVELS), "INFO"),
            api_workers=source.value("ROLLBOOK_API_WORKERS", whole(1, 64), 2),
            api_threads=threads,
            pool_size=source.value("ROLLBOOK_POOL_SIZE", whole(1, 500), threads),
            kept_answers_mib=source.value("ROLLBOOK_KEPT_ANSWERS_MIB", whole(0, 10_000), 16),
            client_seconds=source.value("ROLLBOOK_CLIENT_SECONDS", whole(1, 3_600), 60),
            token_key=source.value("ROLLBOOK_TOKEN_KEY", folder, home / "keys" / "token.pem"),
            oidc=_oidc(source),
            origins=source.value("ROLLBOOK_ORIGINS", origins, ()),
            proxies=source.value("ROLLBOOK_PROXIES", whole(0, 10), 0),
            metrics_token=source.value("ROLLBOOK_METRICS_TOKEN", secret, None),
            max_lag=source.value("ROLLBOOK_MAX_LAG", whole(0, 10**9 - 1), 100_000),
            caller_requests=source.value("ROLLBOOK_CALLER_REQUESTS", whole(0, 10**6), 6_000),
            stranger_requests=source.value("ROLLBOOK_STRANGER_REQUESTS", whole(0, 10**6), 300),
            checkpoints=_checkpoints(source, home),
            traces=_traces(source),
            stop_grace_seconds=source.value("ROLLBOOK_STOP_GRACE_SECONDS", whole(1, 600), 20),
        )

    @classmethod
    def read(cls) -> Settings:
        """Read the settings of this process; raises BadSetting."""
        return cls.from_environment(os.environ)

    def handed_down(self) -> dict[str, str]:
        """The environment of a child that is to have these settings."""
        named = {
            "ROLLBOOK_HOME": str(self.home),
            "DATABASE_URL": self.database_url or "",
            "REDIS_URL": self.redis_url or "",
        }
        return dict(os.environ) | named

    def __str__(self) -> str:
        return (
            f"home={self.home} database={masked(self.database_url)} "
            f"redis={masked(self.redis_url)} bind={self.bind}"
        )

    def __repr__(self) -> str:
        return f"<Settings {self}>"


def masked(address: str | None) -> str:
    """`address` as it may be printed: without password and parameters; "embedded" for None."""
    if address is None:
        return "embedded"
    parts = urlsplit(address)
    return f"{parts.scheme}://{_place(parts)}{parts.path}"


def _place(parts: SplitResult) -> str:
    # The part before the last @ may hold a password; the host never holds an @.
    user = f"{parts.username}@" if parts.username else ""
    return user + parts.netloc.rpartition("@")[2]


def _oidc(source: Environment) -> Oidc | None:
    issuer = source.value("ROLLBOOK_OIDC_ISSUER", safe_url, "")
    if not issuer:
        return None
    return Oidc(
        issuer=issuer,
        audience=source.value("ROLLBOOK_OIDC_AUDIENCE", token, "rollbook"),
        roles_claim=source.value("ROLLBOOK_OIDC_ROLES_CLAIM", token, "roles"),
        employee_claim=source.value("ROLLBOOK_OIDC_EMPLOYEE_CLAIM", token, "sub"),
    )


def _checkpoints(source: Environment, home: Path) -> Checkpoints:
    return Checkpoints(
        key=source.value("ROLLBOOK_CHECKPOINT_KEY", folder, home / "keys" / "checkpoint.pem"),
        origin=source.value("ROLLBOOK_LOG_ORIGIN", origin, "localhost/rollbook"),
        seconds=source.value("ROLLBOOK_CHECKPOINT_SECONDS", whole(1, 86_400), 60),
        file=source.value("ROLLBOOK_CHECKPOINT_FILE", folder, None),
        webhook=source.value("ROLLBOOK_CHECKPOINT_WEBHOOK", safe_url, None),
    )


def _traces(source: Environment) -> str | None:
    # The SDK reads these and all others of OpenTelemetry; here it is decided whether it is asked.
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    is_sent = any(source.value(endpoint, str, "") for endpoint in endpoints)
    default = "otlp" if is_sent else "none"
    exporter = source.value("OTEL_TRACES_EXPORTER", one_of(TRACE_EXPORTERS), default)
    return None if exporter == "none" else exporter
