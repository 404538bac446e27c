"""A key for each employee of whom there is text in the log. To destroy it is to erase the text.

The keys are kept out of the log and out of its backups; see docs/privacy.md. They are made of
random bytes, and used for AES-256-GCM with a random nonce of 96 bits for each text.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Connection

KEY_BITS = 256
NONCE_BYTES = 12
NAME_LENGTH = 16

# The row of whom was erased stays, without a key, so that no new one is ever made.
TABLE = """
CREATE TABLE IF NOT EXISTS rollbook.personal_keys (
    employee_id text PRIMARY KEY,
    key bytea
)
"""

_FIND = "SELECT employee_id, key FROM rollbook.personal_keys WHERE employee_id = ANY(%s)"

_ADD = """
INSERT INTO rollbook.personal_keys (employee_id, key)
SELECT * FROM unnest(%s::text[], %s::bytea[]) ON CONFLICT (employee_id) DO NOTHING
RETURNING employee_id, key
"""

_DESTROY = """
INSERT INTO rollbook.personal_keys (employee_id, key) VALUES (%s, NULL)
ON CONFLICT (employee_id) DO UPDATE SET key = NULL
"""


class PersonalKey:
    """Seals text about one person, and opens it again.

    Attributes:
        name: tells this key from all others, and nothing else of it.

    """

    def __init__(self, key: bytes) -> None:
        """Use `key`, which has 32 bytes."""
        self._cipher = AESGCM(key)
        self.name = sha256(b"rollbook personal key " + key).hexdigest()[:NAME_LENGTH]

    def seal(self, text: str, place: str) -> str:
        """Return nonce, ciphertext and tag in Base64; `place` must be the same in unsealing."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), place.encode())
        return b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str, place: str) -> str:
        """Return the text. Raises ValueError when it was altered, or sealed in another place."""
        data = b64decode(sealed, validate=True)
        try:
            text = self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], place.encode())
        except InvalidTag:
            raise ValueError("sealed text was altered or moved") from None
        return text.decode()


class PersonalKeys:
    """The keys in the table."""

    def find(self, conn: Connection[Any], persons: Collection[str]) -> dict[str, PersonalKey]:
        """Return the keys of those employees who have one."""
        return _usable(_rows(conn, persons))

    def make(self, conn: Connection[Any], persons: Collection[str]) -> dict[str, PersonalKey]:
        """Return the keys of the employees, made now where there is none.

        For whom was erased there is none any more. Who makes a key in a transaction holds up
        others who want one for the same employee until its end, so that all get the same key.
        """
        rows = _rows(conn, persons)
        # All take them in one order, so that no two wait for each other.
        missing = sorted(set(persons) - rows.keys())
        if missing:
            keys = [new_key() for _ in missing]
            rows |= dict(conn.execute(_ADD, (missing, keys), binary=True).fetchall())
        others = set(persons) - rows.keys()
        return _usable(rows | _rows(conn, others) if others else rows)


def new_key() -> bytes:
    """Return a new key."""
    return AESGCM.generate_key(KEY_BITS)


def destroy_key(conn: Connection[Any], employee_id: str) -> None:
    """Destroy the employee's key for ever, if there is one; none will be made again."""
    conn.execute(_DESTROY, (employee_id,))


def _rows(conn: Connection[Any], persons: Iterable[str]) -> dict[str, bytes | None]:
    return dict(conn.execute(_FIND, (list(persons),), binary=True).fetchall())


def _usable(rows: Mapping[str, bytes | None]) -> dict[str, PersonalKey]:
    return {person: PersonalKey(key) for person, key in rows.items() if key is not None}
