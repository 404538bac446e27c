"""What the endpoints are given to work with."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Flask, current_app

from api.metrics import Metrics
from api.policy import Policy
from api.tokens import TokenVerifier
from directory.employees import Employees
from domain.training import Training
from eventlog.codec import EventCodec
from eventlog.pool import Pool
from eventlog.recorder import PostgresRecorder
from projections.positions import Positions
from projections.recent_events import RecentEvents
from projections.sight import Sight
from proof.notes import Signer

_KEY = "rollbook"


@dataclass(frozen=True, slots=True)
class Services:
    """All that the API is handed; it reads no environment.

    Attributes:
        training: the write door.
        employees: the directory.
        pool: connections for queries.
        log: connections for what a command needs besides, which join its transaction.
        mapper: reads stored events.
        positions: how far the read tables are.
        sight: what was seen of them last.
        recent: what the log has gone on with since.
        verifier: tells who a token is about.
        signer: signs checkpoints of the log.
        policy: what it lets in.
        metrics: what it counts of itself.
    """

    training: Training
    employees: Employees
    pool: Pool
    log: PostgresRecorder
    mapper: EventCodec
    positions: Positions
    verifier: TokenVerifier
    signer: Signer
    policy: Policy = field(default_factory=Policy)
    sight: Sight = field(default_factory=Sight)
    recent: RecentEvents = field(default_factory=RecentEvents)
    metrics: Metrics = field(default_factory=Metrics)


def install(app: Flask, services: Services) -> None:
    """Hand `services` to the endpoints of `app`."""
    app.extensions[_KEY] = services


def services() -> Services:
    """Return what this app was handed."""
    found: Services = current_app.extensions[_KEY]
    return found
