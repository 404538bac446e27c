"""Who signs checkpoints of the log, and where they are brought."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proof.notes import Signer
from rollbook.private_key import NotAnEd25519Key, private_key
from rollbook.settings import Checkpoints
from workers.checkpoint_delivery import CheckpointFile, CheckpointWebhook, Destination


def signer(settings: Checkpoints) -> Signer:
    """Return who signs for the log. Raises OSError, and NotAnEd25519Key for anything else."""
    pem = private_key(settings.key)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (TypeError, ValueError):
        raise NotAnEd25519Key(settings.key) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NotAnEd25519Key(settings.key)
    return Signer(settings.origin, key.public_key().public_bytes_raw(), key.sign)


def destinations(settings: Checkpoints) -> tuple[Destination, ...]:
    """Return the places outside to which checkpoints are brought."""
    file = [CheckpointFile(settings.file)] if settings.file else []
    webhook = [CheckpointWebhook(settings.webhook)] if settings.webhook else []
    return (*file, *webhook)
