"""An OpenID Connect issuer on this machine, with a real HTTP server."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
AUDIENCE = "training"


class SigningKey:
    """A key of the issuer, by its id."""

    def __init__(self, key_id: str, algorithm: str = "ES256") -> None:
        self.key_id = key_id
        self.algorithm = algorithm
        self.private = _private_key(algorithm)

    def published(self) -> dict[str, Any]:
        public = self.private.public_key()
        return {**_public_jwk(public), "kid": self.key_id, "use": "sig", "alg": self.algorithm}


def _private_key(algorithm: str) -> PrivateKey:
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


def _public_jwk(public: Any) -> dict[str, Any]:
    if isinstance(public, rsa.RSAPublicKey):
        return RSAAlgorithm.to_jwk(public, as_dict=True)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return ECAlgorithm.to_jwk(public, as_dict=True)
    return OKPAlgorithm.to_jwk(public, as_dict=True)


class Issuer:
    """What it publishes, how it behaves, and how often it was asked."""

    def __init__(self) -> None:
        self.keys = [SigningKey("first")]
        self.asked: Counter[str] = Counter()
        self.url = ""
        self.says_it_is: str | None = None
        self.is_well = True
        self.drips = False
        self.redirects_to: str | None = None

    def token(self, key: SigningKey | None = None, **changes: Any) -> str:
        """A token signed by `key`; a claim of None is left out."""
        key = key or self.keys[0]
        headers = {"kid": key.key_id}
        return jwt.encode(self.claims(**changes), key.private, key.algorithm, headers)

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        good = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "5f1c",
            "roles": ["hr_admin"],
            "iat": now,
            "exp": now + timedelta(hours=1),
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def document(self, path: str) -> dict[str, Any] | None:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.says_it_is or self.url, "jwks_uri": f"{self.url}/keys"}
        return {"keys": [key.published() for key in self.keys]} if path == "/keys" else None


@contextmanager
def listening(issuer: Issuer, port: int = 0) -> Iterator[Issuer]:
    """The issuer, answering; it keeps its address from one time to the next."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked[self.path] += 1
            if issuer.redirects_to is not None:
                self.send_response(302)
                self.send_header("Location", issuer.redirects_to)
                self.end_headers()
                return
            document = issuer.document(self.path) if issuer.is_well else None
            self.send_response(500 if document is None else 200)
            self.end_headers()
            if issuer.drips:
                self._drip()
            else:
                self.wfile.write(json.dumps(document).encode())

        def _drip(self) -> None:
            # Slowly, but never so slowly that one read takes too long.
            for _ in range(200):
                self.wfile.write(b" ")
                time.sleep(0.05)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who was cut off
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
