"""The clock, and what is made from it: no other code reads the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from ulid import ULID


def now() -> datetime:
    """Return the present instant in UTC, to the millisecond."""
    present = datetime.now(UTC)
    return present.replace(microsecond=present.microsecond // 1000 * 1000)


def monotonic() -> float:
    """Return seconds that only ever grow."""
    return time.monotonic()


def new_id(at: datetime) -> str:
    """Return a new ULID of the instant *at* (LU-019)."""
    return str(ULID.from_datetime(at))


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)
