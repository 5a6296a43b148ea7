"""Structured logs: one JSON line an event, with its trace id, and never a secret."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from vitals.runtime.metrics import Metrics, measured
from vitals.runtime.settings import settings


@lru_cache(maxsize=1)
def logger() -> Logger:
    """Return the process's logger."""
    # It would say at every start which settings file it has not found.
    logging.getLogger("pynamodb").setLevel(logging.WARNING)
    # Lambda reads the time of a line in this form alone.
    return Logger(level=settings().log_level, use_rfc3339=True)


def reported(error: Exception) -> None:
    """Log what nobody foresaw, and what stops nothing else."""
    logger().exception("unforeseen", exc_info=error)


def measure(message: str, at: datetime, metrics: Metrics, **members: Any) -> None:
    """Write a line whose *members* CloudWatch takes for *metrics*, whatever the level.

    A deployment that keeps errors alone would otherwise lose its metrics, and every alarm on them.
    """
    to = logging.getLogger(logger().name)
    extra = {**members, **measured(at, metrics)}
    to.handle(
        to.makeRecord(to.name, logging.INFO, __file__, 0, message, (), None, "measure", extra)
    )
