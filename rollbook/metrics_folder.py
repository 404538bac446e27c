"""Where the API processes of one machine keep their figures together."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from rollbook.settings import Settings


def metrics_folder(settings: Settings) -> Path:
    """Return the folder, one for each address that an API listens on."""
    return settings.home / "metrics" / str(settings.bind).replace(":", "-")


def prepare_metrics_folder(settings: Settings) -> None:
    """Empty the folder, and let prometheus_client know it, which looks when it is imported.

    Raises OSError when the folder cannot be made.
    """
    folder = metrics_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        with suppress(FileNotFoundError):
            left.unlink()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
