"""What browsers are told, so that an answer is taken for nothing else than it is."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TLS_ONLY = "max-age=31536000"


def harden(app: Flask, proxies: int) -> None:
    """Add to every answer of `app` what it does not say itself.

    `proxies` stand before it, each of which adds to `X-Forwarded-For` and `X-Forwarded-Proto`;
    what anybody else says there is not believed.
    """
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask's documentation has it
            app.wsgi_app, x_for=proxies, x_proto=proxies
        )
    app.after_request(_add)


def _add(response: Response) -> Response:
    said = {name.lower() for name, _ in response.headers}
    for name, value in HEADERS.items():
        if name.lower() not in said:
            response.headers.add(name, value)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = TLS_ONLY
    return response
