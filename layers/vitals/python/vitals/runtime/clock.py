"""The clock, and what is made from it: no other code reads the time."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta

_MOVED = os.environ.get("VITALS_CLOCK")
"""The file in which the local cloud keeps how far its clock was moved; nowhere else is one."""


def now() -> datetime:
    """Return the present instant in UTC, to the millisecond."""
    present = datetime.now(UTC)
    if _MOVED:
        with open(_MOVED, encoding="utf-8") as kept:
            present += timedelta(seconds=json.load(kept)["ahead"])
    return present.replace(microsecond=present.microsecond // 1000 * 1000)


def monotonic() -> float:
    """Return seconds that only ever grow."""
    return time.monotonic()


def new_id(at: datetime) -> str:
    """Return a new ULID of the instant *at* (LU-019)."""
    from ulid import ULID  # noqa: PLC0415 - no read needs it

    return str(ULID.from_datetime(at))


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)
