"""A queue's messages, one after another: what breaks off comes again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from vitals.runtime.logging import logger
from vitals.runtime.serve import LambdaContext

Answer = dict[str, Any]


def each_message(
    event: Mapping[str, Any], context: LambdaContext, go_on: Callable[[Any, LambdaContext], None]
) -> Answer:
    """Go on with what each message says; those that broke off are named, to be sent again."""
    failed = []
    for record in event["Records"]:
        logger().append_keys(trace_id=context.aws_request_id, tenant_id=None, job_id=None)
        try:
            go_on(json.loads(record["body"]), context)
        except Exception:  # noqa: BLE001 - the queue sends the message again, then sets it aside
            logger().exception("message broke off")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
