"""All benchmarks, one after the other; each prints its ratios and writes them as JSON.

python -m benchmarks [--sizes 10000 1000000 10000000]
"""

from __future__ import annotations

import argparse
import subprocess
import sys

ALL = (
    "append",
    "read",
    "load",
    "catch_up",
    "visible",
    "lists",
    "as_of",
    "audit",
    "prove",
    "api",
)


def main() -> None:
    """Run each in a process of its own; the sizes are those of `growth`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--sizes", nargs="+", default=["10000", "1000000"], metavar="EVENTS")
    sizes = parser.parse_args().sizes
    for name, *options in (*((name,) for name in ALL), ("growth", "--sizes", *sizes)):
        print(f"\n{name}\n", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=True)


if __name__ == "__main__":
    main()
