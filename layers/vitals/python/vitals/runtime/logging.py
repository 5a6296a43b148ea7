"""Structured logs: one JSON line an event, with its trace id, and never a secret."""

from __future__ import annotations

from functools import lru_cache

from aws_lambda_powertools import Logger

from vitals.runtime.settings import settings


@lru_cache(maxsize=1)
def logger() -> Logger:
    """Return the process's logger."""
    return Logger(level=settings().log_level)
