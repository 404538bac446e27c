"""Become another program that is told to stop when the process that started it is gone.

Started as `python -I -S tether.py PARENT SIGNAL USER PROGRAM...`: on Linux the kernel sends
SIGNAL to PROGRAM when process PARENT dies, even of `kill -9`. Elsewhere nothing is sent, and
the next `rollbook run` on the same folder stops what was left. USER is "-" to stay who one is.
It runs before the program and not inside the supervisor, because code between fork and exec is
not safe in a process that has threads.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Give up privileges, tie this process to its parent, and become the program."""
    parent, signal_number, user, *program = arguments
    if user != "-":
        _become(user)
    if sys.platform == "linux":
        # Changing the user clears this setting, so it comes after.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606  no shell is the point


def _become(user: str) -> None:
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.environ.update(HOME=account.pw_dir, USER=user, LOGNAME=user)


if __name__ == "__main__":
    main(sys.argv[1:])
