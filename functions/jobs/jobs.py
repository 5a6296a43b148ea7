"""The jobs function: one message of the queue is one job to go on with (docs/decisions/0009)."""

from __future__ import annotations

import gc

# Start-up makes only what stays: looking for garbage in it costs a tenth of a cold start.
gc.disable()

import json
from collections.abc import Mapping
from typing import Any

from vitals.domain.access import ApiKey
from vitals.domain.job import FAILED, Job
from vitals.runtime import clock
from vitals.runtime.logging import logger, measure
from vitals.runtime.metrics import JOB
from vitals.runtime.serve import LambdaContext
from vitals.runtime.wiring import wiring
from vitals.storage.keys import tenant_of_jobs
from vitals.usecases import (
    decay,
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
    MATCH_RULE,
    PREVIEW,
    PREVIEW_RULE,
    REDRIVE,
    RESCORE,
)
from vitals.usecases.runner import Runner, run_job

RUNNERS: Mapping[str, Runner] = {
    RESCORE: rescore.run,
    PREVIEW: preview.run,
    DELETE_TENANT: tenants.run_delete,
    DECAY: decay.run,
    MATCH_RULE: match_rule.run,
    PREVIEW_RULE: preview_rule.run,
    REDRIVE: redrive.run,
}

wiring()
gc.freeze()
gc.enable()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on with the job that each message names; those whose run broke off are named again.

    A message holds a record of the table's stream, as it came through the pipe.
    """
    failed = []
    for record in event["Records"]:
        logger().append_keys(trace_id=context.aws_request_id, tenant_id=None, job_id=None)
        try:
            _go_on(json.loads(record["body"]), context)
        except Exception:  # noqa: BLE001 - the queue sends the message again, then sets it aside
            logger().exception("job broke off")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _go_on(record: Mapping[str, Any], context: LambdaContext) -> None:
    keys = record["dynamodb"]["Keys"]
    tenant_id, job_id = tenant_of_jobs(keys["PK"]["S"]), keys["SK"]["S"]
    logger().append_keys(tenant_id=tenant_id, job_id=job_id)
    wired, started = wiring(), clock.monotonic()
    now = clock.now()
    tenant = wired.tenants.tenant(tenant_id, consistent=True)
    job = wired.jobs.get(tenant_id, job_id)
    if tenant is None or tenant.deleted_at is not None or job is None:
        logger().info("job is no more")
        return
    run = wired.context(
        _asker(job), tenant, now, lambda: context.get_remaining_time_in_millis() / 1000
    )
    state = run_job(run, job, RUNNERS[job.kind], clock.sleep, context.aws_request_id)
    measure(
        "job",
        now,
        JOB,
        kind=job.kind,
        state=state,
        jobs=1,
        # A message that comes again finds a job that failed before: that is no new failure.
        jobs_failed=int(state == FAILED and not job.is_over),
        job_ms=round((clock.monotonic() - started) * 1000, 1),
    )


def _asker(job: Job) -> ApiKey:
    """Return the key that asked for the job, as changes name it; it opens nothing by itself."""
    return ApiKey(job.by, job.tenant_id, f"{job.kind} job", (), job.created_at, prefix="")
