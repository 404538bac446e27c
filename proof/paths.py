"""Which parts of a tree prove what, after RFC 9162, sections 2.1.3.1 and 2.1.4.1.

A part is a pair (first, end): the leaves from `first` up to, but without, `end`.
"""

from __future__ import annotations

Part = tuple[int, int]


def split(first: int, end: int) -> int:
    """Where the tree over these leaves, two at least, has its left half end."""
    return first + (1 << (end - first - 1).bit_length() - 1)


def inclusion_path(index: int, size: int) -> list[Part]:
    """The parts whose hashes lead from the leaf `index` up to the root of `size` leaves."""
    first, end = 0, size
    path = []
    while end - first > 1:
        middle = split(first, end)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    return path[::-1]


def consistency_path(old: int, new: int) -> list[Part]:
    """The parts that show that the tree of `old` leaves, one at least, is the start of `new`."""
    first, end = 0, new
    path = []
    while end != old:
        middle = split(first, end)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    # The old tree itself is known to whoever asks.
    return [*([] if first == 0 else [(first, end)]), *path[::-1]]
