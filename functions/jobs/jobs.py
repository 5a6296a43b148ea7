"""The jobs function: one message of the queue is one job to go on with (docs/decisions/0009)."""

from __future__ import annotations

import gc

# Start-up makes only what stays: looking for garbage in it costs a tenth of a cold start.
gc.disable()

from collections.abc import Mapping
from typing import Any

from vitals.runtime.messages import each_message
from vitals.runtime.serve import LambdaContext
from vitals.runtime.wiring import wiring
from vitals.runtime.working import work
from vitals.storage.keys import tenant_of_jobs
from vitals.usecases import (
    decay,
    import_customers,
    match_rule,
    preview,
    preview_rule,
    redrive,
    rescore,
    tenants,
)
from vitals.usecases.jobs import (
    DECAY,
    DELETE_TENANT,
    IMPORT,
    MATCH_RULE,
    PREVIEW,
    PREVIEW_RULE,
    REDRIVE,
    RESCORE,
)
from vitals.usecases.runner import Runner

RUNNERS: dict[str, Runner] = {
    RESCORE: rescore.run,
    PREVIEW: preview.run,
    DELETE_TENANT: tenants.run_delete,
    DECAY: decay.run,
    MATCH_RULE: match_rule.run,
    PREVIEW_RULE: preview_rule.run,
    REDRIVE: redrive.run,
    IMPORT: import_customers.run,
}

wiring()
gc.freeze()
gc.enable()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on with the job that each message names; those whose run broke off are named again.

    A message holds a record of the table's stream, as it came through the pipe.
    """
    return each_message(event, context, _go_on)


def _go_on(record: Mapping[str, Any], context: LambdaContext) -> None:
    keys = record["dynamodb"]["Keys"]
    work(tenant_of_jobs(keys["PK"]["S"]), keys["SK"]["S"], context, RUNNERS)
