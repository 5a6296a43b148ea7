"""One cold start, as the main program of a fresh process: import a handler, call it once.

Writes the answer to a pipe as soon as it is there, then the most memory that the process held.
"""

import contextlib
import importlib
import json
import os
import sys


class Context:
    """What of Lambda's context a handler uses."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is always left here."""
        return 29_000


def main(pipe: int, name: str, event: str) -> None:
    """Answer *event* with the handler called *name*, to the descriptor *pipe*."""
    module, _, function = name.rpartition(".")
    answer = getattr(importlib.import_module(module), function)(json.loads(event), Context())
    os.write(pipe, json.dumps(answer).encode() + b"\n")
    os.write(pipe, str(most_kilobytes()).encode())


def most_kilobytes() -> int:
    """Return the most memory that this process held since it was this program."""
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    import resource  # noqa: PLC0415 - where Linux is not; it may count the parent's memory

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
