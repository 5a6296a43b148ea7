"""Doing a job that a message names."""

from __future__ import annotations

from vitals.domain.access import ApiKey
from vitals.domain.job import FAILED, Job
from vitals.runtime import clock
from vitals.runtime.logging import logger, measure
from vitals.runtime.metrics import JOB
from vitals.runtime.serve import LambdaContext
from vitals.runtime.wiring import wiring
from vitals.usecases.runner import Runner, run_job


def work(tenant_id: str, job_id: str, context: LambdaContext, runners: dict[str, Runner]) -> None:
    """Do what is left of a job by the one of *runners* of its kind; one that is gone is passed."""
    logger().append_keys(tenant_id=tenant_id, job_id=job_id)
    wired, started, now = wiring(), clock.monotonic(), clock.now()
    tenant = wired.tenants.tenant(tenant_id, consistent=True)
    job = wired.jobs.get(tenant_id, job_id)
    if tenant is None or tenant.deleted_at is not None or job is None:
        logger().info("job is no more")
        return
    run = wired.context(
        _asker(job), tenant, now, lambda: context.get_remaining_time_in_millis() / 1000
    )
    state = run_job(run, job, runners[job.kind], clock.sleep, context.aws_request_id)
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
    name = job.params.get("key_name", f"{job.kind} job")
    return ApiKey(job.by, job.tenant_id, name, (), job.created_at, prefix="")
