"""Python's garbage collector, for processes that make many objects and no rings of them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = (1_000_000, 50, 1_000)


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Look for rings of dead objects a thousand times less often.

    A batch of events is a few hundred thousand objects that all live until it is
    written. The collector would go through them over and over: without this it takes
    more time than decoding and folding together.
    """
    usual = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
