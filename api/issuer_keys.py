"""The keys of an OpenID Connect issuer: found by discovery, kept, and fetched again in time."""

from __future__ import annotations

import logging
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http.client import HTTPException
from threading import Lock
from typing import IO, Any
from urllib.parse import urlsplit

import jwt
import msgspec

from api.tokens import KeysUnavailableError

logger = logging.getLogger(__name__)

DISCOVERY = "/.well-known/openid-configuration"
FETCH_SECONDS = 3.0
MAX_DOCUMENT_BYTES = 512 * 1024
FRESH_SECONDS = 600.0
"""After so long the keys are fetched again, beside the requests, so that a revoked one ends."""
PAUSE_SECONDS = 10.0
"""Between two fetches, however many tokens name keys that are not known."""

_CHUNK_BYTES = 65_536


class IssuerKeys:
    """The keys that `issuer` signs with.

    An unknown key id makes it look again, so a new key is known at its first token. When the
    issuer does not answer, the keys that are known go on working; a request waits for them only
    while there is reason to hope.
    """

    def __init__(
        self,
        issuer: str,
        *,
        pause_seconds: float = PAUSE_SECONDS,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        """Trust the keys of `issuer`, a URL; see the constants of this file for the times."""
        self._issuer = issuer
        self._fetch_seconds = fetch_seconds
        self._pause_seconds = pause_seconds
        self._keys: Mapping[str | None, jwt.PyJWK] = {}
        self._lock = Lock()
        self._fetcher = ThreadPoolExecutor(1, "issuer-keys")
        self._fetching: Future[None] | None = None
        self._next_fetch_at = 0.0
        self._stale_at = 0.0
        self._is_answering = True

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key of that id, or the only one there is where the token names none.

        Raises `KeysUnavailableError` when there never were any.
        """
        key = self._keys.get(key_id)
        if key is None or time.monotonic() > self._stale_at:
            fetching = self._fetch_soon()
            if key is None and fetching is not None and self._is_answering:
                wait([fetching], self._fetch_seconds)
                key = self._keys.get(key_id)
        if not self._keys:
            raise KeysUnavailableError(self._issuer)
        return key

    def close(self) -> None:
        """End the thread that fetches."""
        self._fetcher.shutdown(cancel_futures=True)

    def _fetch_soon(self) -> Future[None] | None:
        """Let the keys be fetched, unless they just were; return what can be waited for."""
        with self._lock:
            if self._fetching is not None and not self._fetching.done():
                return self._fetching
            if time.monotonic() < self._next_fetch_at:
                return None
            self._next_fetch_at = time.monotonic() + self._pause_seconds
            self._fetching = self._fetcher.submit(self._fetch)
            return self._fetching

    def _fetch(self) -> None:
        try:
            self._keys = fetch_keys(self._issuer, time.monotonic() + self._fetch_seconds)
        except (OSError, HTTPException, ValueError, jwt.PyJWTError) as error:
            self._is_answering = False
            logger.warning("cannot fetch the keys of %s: %s", self._issuer, error)
        else:
            self._is_answering = True
            self._stale_at = time.monotonic() + FRESH_SECONDS


def fetch_keys(issuer: str, until: float) -> dict[str | None, jwt.PyJWK]:
    """Return the signing keys of `issuer` by their ids; a single one also under None.

    They are found as OpenID Connect Discovery 1.0, section 4, says. `until` is a time of
    `time.monotonic`. Raises OSError, HTTPException, ValueError and PyJWTError.
    """
    about = _document(issuer.rstrip("/") + DISCOVERY, until)
    if about.get("issuer") != issuer:
        raise ValueError(f"the discovery document is about {about.get('issuer')!r}")
    address = about.get("jwks_uri")
    if not isinstance(address, str) or urlsplit(address).scheme not in _schemes(issuer):
        raise ValueError("the discovery document names no place of keys that could be trusted")
    published = _document(address, until).get("keys")
    signing = [k for k in published or () if isinstance(k, dict) and k.get("use", "sig") == "sig"]
    keys = {key.key_id: key for key in jwt.PyJWKSet(signing).keys}
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys


def _schemes(issuer: str) -> tuple[str, ...]:
    # Never less safe than the issuer's own address.
    return ("https",) if urlsplit(issuer).scheme == "https" else ("https", "http")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def _document(address: str, until: float) -> dict[str, Any]:
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("it took too long")
    try:
        with _OPENER.open(address, timeout=seconds) as response:
            return msgspec.json.decode(_body(response, until), type=dict[str, Any])
    except urllib.error.HTTPError as refusal:
        refusal.close()
        raise


def _body(response: IO[bytes], until: float) -> bytes:
    body = b""
    while chunk := response.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]  # HTTPResponse has it
        body += chunk
        if len(body) > MAX_DOCUMENT_BYTES:
            raise ValueError(f"it answers with more than {MAX_DOCUMENT_BYTES} bytes")
        if time.monotonic() > until:
            raise TimeoutError("it took too long")
    return body
