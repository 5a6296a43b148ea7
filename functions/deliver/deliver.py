"""The deliver function: one message of the queue is one attempt at one delivery."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from vitals.runtime import clock
from vitals.runtime.logging import logger, measure
from vitals.runtime.messages import each_message
from vitals.runtime.metrics import DELIVERY
from vitals.runtime.serve import LambdaContext
from vitals.runtime.wiring import wiring
from vitals.usecases.deliver import deliver

wiring()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make the attempts that the messages name; those that broke off are named again."""
    return each_message(event, context, _deliver)


def _deliver(message: Mapping[str, str], context: LambdaContext) -> None:
    tenant_id, delivery_id = message["tenant_id"], message["delivery_id"]
    logger().append_keys(tenant_id=tenant_id)
    wired, now, started = wiring(), clock.now(), clock.monotonic()
    asked = wired.background(
        tenant_id, "delivery", now, lambda: context.get_remaining_time_in_millis() / 1000
    )
    if asked is None:
        logger().info("tenant is no more", delivery_id=delivery_id)
        return
    state = deliver(asked, delivery_id, random.random, clock.sleep)
    measure(
        "delivery",
        now,
        DELIVERY,
        delivery_id=delivery_id,
        state=state,
        deliveries=1,
        deliveries_failed=int(state == "failed"),
        delivery_ms=round((clock.monotonic() - started) * 1000, 1),
    )
