"""The reactions function: what follows from each record of the table's stream, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vitals.runtime import clock
from vitals.runtime.logging import logger
from vitals.runtime.reacting import Batch
from vitals.runtime.serve import LambdaContext
from vitals.runtime.wiring import wiring

wiring()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """React to the records in their order; from the first that failed on they come again."""
    logger().append_keys(trace_id=context.aws_request_id, tenant_id=None)
    batch = Batch(wiring(), clock.now(), lambda: context.get_remaining_time_in_millis() / 1000)
    for record in event["Records"]:
        number = record["dynamodb"]["SequenceNumber"]
        try:
            batch.react(record)
        except Exception:  # noqa: BLE001 - the stream gives it again, then sets it aside
            logger().exception("reaction broke off", sequence_number=number)
            return {"batchItemFailures": [{"itemIdentifier": number}]}
    return {"batchItemFailures": []}
