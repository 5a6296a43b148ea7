"""Structured logs: one JSON line an event, with its trace id, and never a secret."""

from __future__ import annotations

import logging
from functools import lru_cache

from aws_lambda_powertools import Logger

from vitals.runtime.settings import settings


@lru_cache(maxsize=1)
def logger() -> Logger:
    """Return the process's logger."""
    # It would say at every start which settings file it has not found.
    logging.getLogger("pynamodb").setLevel(logging.WARNING)
    # Lambda reads the time of a line in this form alone.
    return Logger(level=settings().log_level, use_rfc3339=True)
