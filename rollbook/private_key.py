"""Keys that sign: each made on first start, for its owner's eyes alone."""

from __future__ import annotations

import os
from pathlib import Path

from api.local_key import new_private_key


class NotAnEd25519Key(Exception):
    """A file holds something else than the key that is needed."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} must hold an Ed25519 key as PEM")
        self.path = path


def private_key(path: Path) -> bytes:
    """Return the Ed25519 key in the file `path` as PEM, made now where there is none.

    Two that start at once agree on one key, and a crash leaves a whole key or none.
    Raises OSError when the file cannot be read or made.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
    return path.read_bytes()


def _make(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(new_private_key())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # Another process was first; its key is the key.
    finally:
        draft.unlink()
