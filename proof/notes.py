"""Signed notes and checkpoints, written as C2SP signed-note and tlog-checkpoint say."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_DASH = "\u2014"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs for the log.

    Attributes:
        origin: the name of the log, without spaces and `+`; a path below a host name of yours.
        public_key: the 32 bytes of the Ed25519 key.
        sign: makes the 64 bytes of a signature of a message.
    """

    origin: str
    public_key: bytes
    sign: Callable[[bytes], bytes]

    @property
    def key_id(self) -> bytes:
        """Tells keys of one name apart (C2SP signed-note)."""
        data = self.origin.encode() + b"\n" + _ED25519 + self.public_key
        return sha256(data).digest()[:_KEY_ID_BYTES]

    @property
    def verifier_key(self) -> str:
        """The public key as text, with the name and its id (C2SP signed-note)."""
        encoded = b64encode(_ED25519 + self.public_key).decode()
        return f"{self.origin}+{self.key_id.hex()}+{encoded}"

    def note(self, lines: Sequence[str]) -> str:
        """The lines behind the origin, with a signature."""
        text = "".join(f"{line}\n" for line in (self.origin, *lines))
        signature = b64encode(self.key_id + self.sign(text.encode())).decode()
        return f"{text}\n{_DASH} {self.origin} {signature}\n"

    def checkpoint(self, size: int, root: bytes) -> str:
        """The signed statement that the tree over the first `size` events has this root."""
        return self.note((str(size), b64encode(root).decode()))
