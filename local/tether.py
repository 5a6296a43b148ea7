"""Becomes a command that the kernel ends together with its parent: a killed one leaves no orphan.

A program of its own, because a parent with threads cannot safely run code in a forked child.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command is the caller's own
