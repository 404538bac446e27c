"""How Python is to run where batches of events are folded."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_COLLECTED_SELDOM = (1_000_000, 50, 1_000)
_SWITCH_SECONDS = 0.0005


@contextmanager
def folding_batches() -> Iterator[None]:
    """Collect rings of dead objects a thousand times less often, switch threads ten times as often.

    A batch of events is a few hundred thousand objects that all live until it is written, and
    few rings. The collector would go through them over and over: without this it takes more
    time than decoding and folding together. A thread that writes speaks to the database in many
    small pieces, and behind each would wait 5 ms for the one that folds.
    """
    thresholds, interval_seconds = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(*_COLLECTED_SELDOM)
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval_seconds)
