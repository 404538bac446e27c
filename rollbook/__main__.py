"""`python -m rollbook`, the same as the command `rollbook`."""

from __future__ import annotations

from rollbook.cli import main

if __name__ == "__main__":
    main()
