"""What the local cloud says to the person who started it."""

import contextlib
import sys
from typing import TextIO


class LocalCloudError(Exception):
    """Something the person at the keyboard can put right; the message is the one line they see."""


def say(line: str) -> None:
    """Write one line to standard output."""
    _write(sys.stdout, line)


def complain(line: str) -> None:
    """Write one line to standard error."""
    _write(sys.stderr, line)


def printable(text: str) -> str:
    """Return *text* with whatever could drive a terminal replaced by `?`."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _write(stream: TextIO, line: str) -> None:
    # One write per line keeps the lines of concurrent requests whole. The reader of a pipe
    # (`make run | head`) may be gone; that is no reason to fail a request.
    with contextlib.suppress(BrokenPipeError):
        stream.write(f"{line}\n")
        stream.flush()
