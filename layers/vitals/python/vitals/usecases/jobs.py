"""get_job, list_jobs, cancel_job: what outlasts a request, how far it is, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any

from vitals.domain.access import PLATFORM
from vitals.domain.errors import (
    ForbiddenError,
    InvalidCursorError,
    JobNotFoundError,
    JobOverError,
)
from vitals.domain.instants import iso
from vitals.domain.job import CANCELLED, DONE, REPORT, STATES, Job
from vitals.storage.ports import StorageBusyError
from vitals.usecases.administer import Administering, Plan, administer
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.fields import Short, any_of
from vitals.usecases.inputs import Input, read
from vitals.usecases.paging import LONGEST_ID, Page, filled, paged

RESCORE, PREVIEW, DELETE_TENANT, DECAY = "rescore", "preview", "delete_tenant", "decay"
MATCH_RULE, PREVIEW_RULE, REDRIVE = "match_rule", "preview_rule", "redrive"
IMPORT = "import"
ROWS = "rows"
"""What the pages are called that an import works through; they go once it is over."""
KINDS = (
    RESCORE, PREVIEW, DELETE_TENANT, DECAY, MATCH_RULE, PREVIEW_RULE, REDRIVE, REPORT, IMPORT,
)  # fmt: skip


class JobInput(Input):
    """Which job."""

    id: Short


class CancelInput(Administering, JobInput):
    """Which job to stop."""


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
        if not after.isalnum() or len(after) > LONGEST_ID:
            raise InvalidCursorError("cursor was not issued here: start without one")
    page = None if parsed.state or parsed.kind else parsed.limit + 1
    rows = context.jobs.all(context.tenant.id, after=after, page=page)

    def wanted(job: Job) -> bool:
        return (
            not job.is_kept_no_more(context.now)
            and (not parsed.state or job.state in parsed.state)
            and (not parsed.kind or job.kind in parsed.kind)
        )

    found = filled(
        rows, parsed.limit, lambda job: job_view(job, whole=False), wanted, context.has_time
    )
    return paged("list_jobs", parsed, warnings, found, lambda last: cursor(query, [last.id]))


def cancel_job(context: Context, given: Mapping[str, Any]) -> Answer:
    """Stop a job before it is done; what it did by then stays done.

    Raises JobOverError, and ForbiddenError for a job that the key could not have started.
    """
    parsed, warnings, _ = read(CancelInput, given)

    def plan(context: Context) -> Plan:
        job = required(context, parsed.id)
        _refuse_others(context, job)
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

    answer = administer(context, "cancel_job", plan, dry_run=parsed.dry_run)
    if answer["data"]["kind"] == IMPORT and not parsed.dry_run:
        with suppress(StorageBusyError):
            # Whatever is left of them expires.
            context.jobs.drop(context.tenant.id, parsed.id, ROWS)
    return answer


def _refuse_others(context: Context, job: Job) -> None:
    own = job.kind in (PREVIEW_RULE, REPORT) or (
        job.kind == RESCORE and job.params.get("cause") == "rescore"
    )
    own |= job.kind == IMPORT and "customers:write" in context.key.scopes
    scope = PLATFORM if job.kind == DELETE_TENANT else "admin:*"
    if not own and scope not in context.key.scopes:
        raise ForbiddenError(f"to cancel a {job.kind} job takes {scope}", extra={"scope": scope})


def required(context: Context, job_id: str) -> Job:
    """Return the job. Raises JobNotFoundError."""
    job = context.jobs.get(context.tenant.id, job_id)
    if job is None or job.is_kept_no_more(context.now):
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
    if job.kind == REPORT:
        view["schedule_id"] = job.params.get("schedule_id")
    result = job.result if job.state == DONE else None
    return view | {"result": result} if whole else view
