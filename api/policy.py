"""What the API lets in, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is decided by whoever runs the API.

    Attributes:
        origins: whose web pages may call it, as `https://hr.example`.
        proxies: how many stand before it and say for whom they ask.
        max_body_bytes: larger request bodies are refused.
        client_seconds: how long a body may take to come, and a client may take nothing of its
            answer.
        caller_requests: how many requests of one caller are answered in a minute; 0 for any number.
        stranger_requests: the same for one address, of all who do not say who they are.
        requests_at_a_time: how many are answered at a time by this process.
        patience_seconds: how long a request waits for its turn.
        kept_bytes: how much room answers take that are given again while they are the same.
        max_lag: by how many positions read tables may be behind while this process is ready.
        metrics_token: what shows the figures at /metrics; without it nobody sees them.
        counts_url: where requests are counted, as Flask-Limiter takes it.
        counts_options: more for the client of that place.
    """

    origins: tuple[str, ...] = ()
    proxies: int = 0
    max_body_bytes: int = 1024 * 1024
    client_seconds: float = 60.0
    caller_requests: int = 0
    stranger_requests: int = 0
    requests_at_a_time: int = 64
    patience_seconds: float = 5.0
    kept_bytes: int = 0
    max_lag: int = 100_000
    metrics_token: str | None = field(default=None, repr=False)
    counts_url: str = "memory://"
    counts_options: Mapping[str, Any] = field(default_factory=dict)
