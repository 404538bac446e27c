"""What the values of environment variables may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BadSetting(Exception):
    """An environment variable holds a value that Rollbook cannot use."""

    def __init__(self, variable: str, rule: str) -> None:
        super().__init__(f"{variable} {rule}")
        self.variable = variable
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Bind:
    """An address to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Environment:
    """Variables, each read by the function that knows what it may be."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Read from `variables`."""
        self._variables = variables

    def value(self, variable: str, parse: Callable[[str], T], default: T) -> T:
        """Return what `parse` makes of the `variable`; an empty one counts as not set.

        Raises BadSetting where `parse` raises ValueError, whose message is the rule.
        """
        text = self._variables.get(variable, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as problem:
            raise BadSetting(variable, str(problem)) from None


def token(text: str) -> str:
    """A word that may stand in a header or a token, as a claim's name or an audience."""
    if not re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}", text):
        raise ValueError("must be 1 to 200 visible characters, without blanks and quotes")
    return text


def origin(text: str) -> str:
    """The name of a log, as C2SP signed-note has the names of keys."""
    if not re.fullmatch(r"[\x21-\x2a\x2c-\x7e]{1,200}", text):
        raise ValueError("must be 1 to 200 visible characters, without blanks and +")
    return text


def origins(text: str) -> tuple[str, ...]:
    """Origins of web pages (RFC 6454) as SCHEME://HOST[:PORT], with blanks between."""
    for one in text.split():
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?", one):
            raise ValueError(
                f"must be origins as https://hr.example, with blanks between, not {one!r}"
            )
    return tuple(text.split())


def secret(text: str) -> str | None:
    """What nobody can guess."""
    if not re.fullmatch(r"[\x21-\x7e]{16,200}", text):
        raise ValueError("must be 16 to 200 visible characters, without blanks")
    return text


def folder(text: str) -> Path:
    """A path; what comes back is absolute."""
    return Path(text).expanduser().resolve()


def one_of(allowed: tuple[str, ...]) -> Callable[[str], str]:
    """One of some words, in capitals or not."""

    def parse(text: str) -> str:
        for word in allowed:
            if text.casefold() == word.casefold():
                return word
        raise ValueError(f"must be one of {', '.join(allowed)}, not {text!r}")

    return parse


def bind(text: str) -> Bind:
    """An address as HOST:PORT."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})", text)
    if match is None or not 1 <= int(match[3]) <= 65535:  # noqa: PLR2004  the highest port
        raise ValueError(f"must be HOST:PORT with a port from 1 to 65535, not {text!r}")
    return Bind(match[1] or match[2], int(match[3]))


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number of these bounds."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return parse


def url(schemes: tuple[str, ...]) -> Callable[[str], str | None]:
    """A URL of one of these schemes."""
    allowed = " or ".join(f"{scheme}://" for scheme in schemes)

    def parse(text: str) -> str:
        # The value itself is left out of the message: it may hold a password.
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError:
            raise ValueError("is not a valid URL") from None
        if parts.scheme not in schemes:
            raise ValueError(f"must start with {allowed}")
        return text

    return parse


def safe_url(text: str) -> str:
    """A URL that nobody on the way can change: https, or http on this machine."""
    given = url(("https", "http"))(text)
    parts = urlsplit(text)
    if given is None or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be a URL of scheme, host and path alone")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must start with https://, but for this machine itself")
    return text
