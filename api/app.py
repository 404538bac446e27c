"""The Flask application, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Response
from flask_smorest import Api  # type: ignore[import-untyped]

from api.access import guard, recognize
from api.again import Again
from api.analytics import analytics
from api.audit_accesses import audit_accesses
from api.audit_bundles import audit_bundles
from api.audit_explain import audit_explanations
from api.audit_history import audit_history
from api.audit_log import log_accesses
from api.audit_proofs import audit_proofs
from api.bulk import bulk
from api.certificates import certificates
from api.correlation import correlate
from api.crossing import let_in
from api.description import ABOUT, BEARER, TITLE, VERSION, DescribingPlugin, ProblemShape, name_of
from api.docs import docs
from api.employees import employees
from api.enrollments import enrollments
from api.failures import answer_failures
from api.hardening import harden
from api.health import health
from api.kept_answers import KeptAnswers
from api.load import shed_load
from api.me import me
from api.metrics_page import metrics
from api.observing import observe
from api.paths import read_paths, refuse_malformed
from api.personal_data import personal_data
from api.programs import programs
from api.rate_limits import RateLimits
from api.remembering import Memory, remember
from api.services import Services, install
from api.tracing import trace_requests
from api.transcripts import transcripts
from api.waiting import waitlists
from api.wire import Answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

RESOURCES = (
    programs,
    enrollments,
    bulk,
    certificates,
    analytics,
    employees,
    personal_data,
    waitlists,
    transcripts,
    me,
    audit_history,
    audit_explanations,
    audit_accesses,
    audit_proofs,
    audit_bundles,
    health,
)


class WholeResponse(Response):
    """A response that a server can send at once where it is whole, as it need not be streamed."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Start the response, and return its body (PEP 3333)."""
        body, status, headers = self.get_wsgi_response(environ)
        start_response(status, headers)
        is_whole = isinstance(self.response, list) and not self._on_close
        if is_whole and environ["REQUEST_METHOD"] != "HEAD":
            return cast("Iterable[bytes]", self.response)
        return body


class Application(Flask):
    """Flask without coroutines, for which it would look at every function that it calls."""

    response_class = WholeResponse

    def make_response(self, rv: Any) -> Response:
        """Return the response to be sent for what a view answers."""
        return rv.response(WholeResponse) if isinstance(rv, Answer) else super().make_response(rv)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is."""
        return func


class DescribedApi(Api):  # type: ignore[misc]  # smorest has no types
    """Describes the operations; their failures are described one by one."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = ProblemShape


def create_app(services: Services) -> Flask:
    """Return the application that works with `services`.

    Raises `UndeclaredAccessError` when an endpoint does not say who may call it.
    """
    # No static files: every path is one of ours.
    app = Application("rollbook", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = services.policy.max_body_bytes
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    install(app, services)
    api = _described(app)
    memory = Memory(KeptAnswers(services.policy.kept_bytes))
    remember(app, memory)
    harden(app, services.policy.proxies)
    trace_requests(app)
    observe(app, services.metrics)
    correlate(app)
    read_paths(app, api)
    for resource in RESOURCES:
        api.register_blueprint(resource)
    app.register_blueprint(docs)
    app.register_blueprint(metrics)
    answer_failures(app)
    let_in(app, services.policy.origins)
    load = shed_load(app, services.policy)
    recognize(app)
    limits = RateLimits(app, services.policy)
    guard(app)
    app.before_request(refuse_malformed)
    # The last to be asked is the first to see an answer, so that it stands before all is shown.
    log_accesses(app)
    app.wsgi_app = Again(app, memory, services, limits, load)  # type: ignore[method-assign]  # as Flask has it
    return app


def _described(app: Flask) -> Api:
    app.config["API_SPEC_OPTIONS"] = {
        "info": {"description": ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
        "components": {
            "securitySchemes": {BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
        },
    }
    return DescribedApi(
        app,
        spec_kwargs={
            "title": TITLE,
            "version": VERSION,
            "openapi_version": "3.1.0",
            "marshmallow_plugin": DescribingPlugin(schema_name_resolver=name_of),
        },
    )
