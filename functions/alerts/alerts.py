"""The alerts function: goes on with what is due: retries, summaries, escalations (AMB-08)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from vitals.domain.instants import parse_instant
from vitals.runtime.logging import logger, reported
from vitals.runtime.serve import LambdaContext
from vitals.runtime.wiring import wiring
from vitals.usecases.context import Context
from vitals.usecases.due import go_on


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on with what is due by the schedule's own `time`; calling it again tells nobody twice."""
    now = parse_instant(event["time"])
    wired = wiring()
    logger().append_keys(trace_id=context.aws_request_id, tenant_id=None)

    @cache
    def context_of(tenant_id: str) -> Context | None:
        left = context.get_remaining_time_in_millis
        return wired.background(tenant_id, "schedule", now, lambda: left() / 1000)

    wakes = wired.outbound.wakes
    counts = go_on(context_of, wakes.due(now), wakes.done, reported)
    if counts:
        logger().info("due", time=event["time"], counts=counts)
    return counts
