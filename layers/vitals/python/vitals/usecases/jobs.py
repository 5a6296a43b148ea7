"""get_job, list_jobs, cancel_job: what outlasts a request, how far it is, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from vitals.domain.errors import InvalidCursorError, JobNotFoundError, JobOverError
from vitals.domain.instants import iso
from vitals.domain.job import CANCELLED, STATES, Job
from vitals.usecases.administer import Plan, administer
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.fields import Short, any_of
from vitals.usecases.inputs import Input, read
from vitals.usecases.paging import Page, filled

RESCORE, PREVIEW, DELETE_TENANT = "rescore", "preview", "delete_tenant"
KINDS = (RESCORE, PREVIEW, DELETE_TENANT)


class JobInput(Input):
    """Which job."""

    id: Short


class JobsInput(Page):
    """Which jobs, newest first."""

    state: Annotated[frozenset[str], any_of(*STATES)] = frozenset()
    kind: Annotated[frozenset[str], any_of(*KINDS)] = frozenset()


def new_job(context: Context, kind: str, params: Mapping[str, Any]) -> Job:
    """Return a job of the caller's, queued: once it is written, the table's stream starts it."""
    return Job(
        id=context.new_id(context.now),
        tenant_id=context.tenant.id,
        kind=kind,
        by=context.key.id,
        created_at=context.now,
        params=params,
    )


def get_job(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one job: its state, its progress and, once it is done, its result."""
    parsed, warnings, _ = read(JobInput, given)
    job = required(context, parsed.id)
    return {"action": "get_job", "data": job_view(job), "warnings": warnings}


def list_jobs(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of the tenant's jobs, newest first, without their results."""
    parsed, warnings, _ = read(JobsInput, given)
    query = digest("jobs", parsed.state, parsed.kind)
    after = None
    if parsed.cursor is not None:
        [after] = place_of(parsed.cursor, query, str)
        if not after.isalnum():
            raise InvalidCursorError("cursor was not issued here: start without one")
    filtered = parsed.state or parsed.kind
    rows = (
        job
        for job in context.jobs.all(
            context.tenant.id, after=after, page=None if filtered else parsed.limit + 1
        )
        if (not parsed.state or job.state in parsed.state)
        and (not parsed.kind or job.kind in parsed.kind)
    )
    page = filled(rows, parsed.limit, lambda job: job_view(job, whole=False))
    return {
        "action": "list_jobs",
        "data": page.shown,
        "has_more": page.last is not None,
        "next_cursor": cursor(query, [page.last.id]) if page.last else None,
        "limit": parsed.limit,
        "offset": 0,
        "warnings": warnings,
        "shape": parsed.shape,
    }


def cancel_job(context: Context, given: Mapping[str, Any]) -> Answer:
    """Stop a job before it is done; what it did by then stays done. Raises JobOverError."""
    parsed, warnings, _ = read(JobInput, given)

    def plan(context: Context) -> Plan:
        job = required(context, parsed.id)
        if job.is_over and job.state != CANCELLED:
            raise JobOverError(f"the job is {job.state}: nothing is left to cancel")
        now = context.now
        gone = replace(
            job, state=CANCELLED, finished_at=now, updated_at=now, version=job.version + 1
        )
        already = job.state == CANCELLED
        return Plan(
            subject=job.id,
            answer={"data": job_view(job if already else gone), "warnings": warnings},
            details={"kind": job.kind, "progress": job.progress},
            job=None if already else gone,
        )

    return administer(context, "cancel_job", plan)


def required(context: Context, job_id: str) -> Job:
    """Return the job. Raises JobNotFoundError."""
    job = context.jobs.get(context.tenant.id, job_id)
    if job is None:
        raise JobNotFoundError(f"no job has id {job_id!r}: list_jobs lists them")
    return job


def job_view(job: Job, *, whole: bool = True) -> dict[str, Any]:
    """Return *job* as answers show it."""
    view = {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "by": job.by,
        "progress": job.progress,
        "error": job.error,
        "created_at": iso(job.created_at),
        "started_at": iso(job.started_at) if job.started_at else None,
        "updated_at": iso(job.updated_at) if job.updated_at else None,
        "finished_at": iso(job.finished_at) if job.finished_at else None,
    }
    return view | {"result": job.result} if whole else view
