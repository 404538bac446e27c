"""The WSGI application of one API process."""

from __future__ import annotations

import gc
import re
from contextlib import ExitStack
from multiprocessing.util import Finalize

from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry

from api.app import create_app as create_api
from api.issuer_keys import IssuerKeys
from api.metrics import Metrics
from api.policy import Policy
from api.services import Services
from api.tokens import TokenRules, TokenVerifier
from projections.positions import Positions
from rollbook.assembly import event_codec, write_side
from rollbook.checkpoint_key import signer
from rollbook.embedded import with_urls
from rollbook.logs import configure_logs
from rollbook.metrics_folder import metrics_folder
from rollbook.settings import Settings
from rollbook.telemetry import traced
from rollbook.token_key import local_tokens

TURN_SECONDS = 5.0
"""How long a request waits for its turn. A burst of some hundreds is answered within that."""
CONNECTION_SECONDS = 1.5
"""How long a request that has its turn waits for a connection to the database."""
BYTES_PER_MIB = 1 << 20
COUNTING_SECONDS = 0.1
"""A slow Redis must not slow the API: beyond this each process counts for itself."""


def create_app() -> Flask:
    """Return the API of this process, with connections of its own that close at its end."""
    settings = with_urls(Settings.read())
    # A worker that was forked has this already; one that was spawned begins with nothing.
    configure_logs("api", settings.log_level, settings.log_format)
    closing = ExitStack()
    # A worker is a child of multiprocessing, which does not come to `atexit` in all our Pythons.
    Finalize(None, closing.close, exitpriority=0)
    closing.enter_context(traced("api", settings.traces))
    side = closing.enter_context(write_side(settings, settings.pool_size, CONNECTION_SECONDS))
    positions = Positions(str(settings.database_url))
    closing.callback(positions.close)
    app = create_api(
        Services(
            training=side.training,
            employees=side.employees,
            pool=side.pool,
            log=side.recorder,
            mapper=event_codec(),
            positions=positions,
            verifier=_verifier(settings, closing),
            signer=signer(settings.checkpoints),
            policy=_policy(settings),
            metrics=Metrics(str(metrics_folder(settings))),
        )
    )
    # What there is by now stays for good. To go through it for dead objects, as the collector does
    # now and then, takes as long as many requests.
    gc.collect()
    gc.freeze()
    return app


def _verifier(settings: Settings, closing: ExitStack) -> TokenVerifier:
    oidc = settings.oidc
    if oidc is None:
        return local_tokens(settings.token_key)
    keys = IssuerKeys(oidc.issuer)
    closing.callback(keys.close)
    rules = TokenRules(oidc.issuer, oidc.audience, oidc.roles_claim, oidc.employee_claim)
    return TokenVerifier(keys, rules)


def _policy(settings: Settings) -> Policy:
    return Policy(
        origins=settings.origins,
        proxies=settings.proxies,
        client_seconds=settings.client_seconds,
        max_lag=settings.max_lag,
        metrics_token=settings.metrics_token,
        requests_at_a_time=settings.api_threads,
        patience_seconds=TURN_SECONDS,
        caller_requests=settings.caller_requests,
        stranger_requests=settings.stranger_requests,
        kept_bytes=settings.kept_answers_mib * BYTES_PER_MIB,
        # The name that Flask-Limiter has for it.
        counts_url=re.sub("^unix:", "redis+unix:", str(settings.redis_url)),
        counts_options={
            "socket_timeout": COUNTING_SECONDS,
            "socket_connect_timeout": COUNTING_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        },
    )
