"""The decay function: starts the job of every tenant whose local day has turned (AMB-04, 45)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vitals.domain.instants import parse_instant
from vitals.runtime import clock
from vitals.runtime.logging import logger
from vitals.runtime.serve import LambdaContext
from vitals.runtime.wiring import wiring
from vitals.usecases.decay import start_due


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start what is due by the schedule's own `time`; calling it again starts nothing more."""
    now: datetime = parse_instant(event["time"])
    wired = wiring()
    started = start_due(wired.clocks, wired.tenants, now, clock.new_id)
    logger().info("decay", trace_id=context.aws_request_id, time=event["time"], started=started)
    return {"started": started}
