"""A delivery: one event on its way to one connection, with every attempt at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

PENDING, DELIVERED, FAILED, CANCELLED = "pending", "delivered", "failed", "cancelled"
STATES = (PENDING, DELIVERED, FAILED, CANCELLED)

SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long after each failed attempt the next one follows (Standard Webhooks); then it failed."""
JITTER = 0.1
"""A wait is longer by up to this part of it, so that what failed together does not come again so.
"""
LONGEST_RETRY_AFTER = timedelta(days=1)
KEPT_ATTEMPTS = 20
"""A delivery keeps so many of its latest attempts."""

OK, GONE, RETRY = "ok", "gone", "retry"
"""What an attempt came to: received; never again (410); later again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt: what the receiver answered, or why it could not.

    *verdict* is ok, gone or retry. *status* is the HTTP status, None without an answer. *response*
    is the beginning of the answer's body, *error* why there was none. *retry_after* is in seconds.
    """

    at: datetime
    verdict: str
    status: int | None = None
    response: str = ""
    error: str | None = None
    duration_ms: int = 0
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event, as *payload*, for one connection.

    *event_id* is the same for every receiver and attempt (`webhook-id`). *tries* counts the
    attempts since it was last made pending; *next_at* is when the next one is due, *customer_id*
    whom it tells of, if one customer alone.
    """

    id: str
    tenant_id: str
    connection_id: str
    event_id: str
    event_type: str
    payload: Mapping[str, Any]
    created_at: datetime
    customer_id: str | None = None
    state: str = PENDING
    tries: int = 0
    next_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    version: int = 1


def wait_after(tries: int, jitter: float, retry_after: int | None = None) -> timedelta | None:
    """Return how long to wait after the failed attempt number *tries* (from 1); None: give up.

    *jitter* is from 0 to 1. A receiver's *retry_after*, in seconds, makes it no shorter.
    """
    if tries > len(SCHEDULE):
        return None
    wait = SCHEDULE[tries - 1] * (1 + JITTER * jitter)
    asked = min(timedelta(seconds=max(0, retry_after or 0)), LONGEST_RETRY_AFTER)
    return max(wait, asked)
