"""rescore_all, and the job that scores every customer under the newest model (IQ-089, 090)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Annotated, Any

from pydantic import PlainValidator

from vitals.domain.customer import Customer
from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.job import Job
from vitals.domain.mutation import Reason
from vitals.storage.ports import Commit, StorageBusyError, WriteConflictError
from vitals.usecases.administer import Administering, Plan, administer
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import split
from vitals.usecases.inputs import read
from vitals.usecases.jobs import RESCORE, job_view, new_job
from vitals.usecases.runner import Run, place_of
from vitals.usecases.write import published

WRITERS = 8
PAGE = 100
"""So many customers are read at once: as many as one call takes."""
MAX_IDS = 1000
SETTLED = timedelta(seconds=65)
"""An instance may remember the model before for half a minute, and write with it for as long."""


class RescoreInput(Administering):
    """Whom to score anew: *ids*, or everybody."""

    ids: Annotated[list[str], PlainValidator(split, json_schema_input_type=list[str])] | None = None


def rescore_all(context: Context, given: Mapping[str, Any]) -> Answer:
    """Start a job that scores every customer, or those of `ids`, as of now; overrides stay."""
    parsed, warnings, _ = read(RescoreInput, given)
    ids = list(dict.fromkeys(parsed.ids)) if parsed.ids is not None else None
    if ids is not None and not 1 <= len(ids) <= MAX_IDS:
        message = f"must hold 1 to {MAX_IDS} ids, holds {len(ids)}"
        raise ValidationError([FieldError("ids", "out_of_range", message)])

    def plan(context: Context) -> Plan:
        about = {"cause": "rescore", "action": "rescore_all", "ids": ids}
        job = new_job(context, RESCORE, about)
        data = job_view(job)
        answer = {"job_id": job.id, "data": data, "warnings": warnings}
        return Plan(subject=job.id, answer=answer, details={"ids": ids}, job=job)

    return administer(context, "rescore_all", plan, dry_run=parsed.dry_run)


def run(context: Context, run: Run, job: Job) -> dict[str, Any]:
    """Score every customer of *job* under the newest model, until none holds an older version.

    Whoever writes a customer meanwhile wins, and the customer is read again; overrides stay
    (AMB-02). Goes on from where the run before it stopped.
    """
    reason = Reason(action=job.params["action"], cause=job.params["cause"])
    ids = job.params.get("ids")
    if ids is not None:
        return _named(context, run, reason, ids)
    everybody = job.params["cause"] == "rescore"
    # Whoever was written since was scored by that.
    before = job.created_at if everybody else None

    def is_meant(customer: Customer) -> bool:
        return _is_meant(context, customer, before)

    if "total" not in run.job.progress:
        total = sum(map(is_meant, context.customers.roster(context.tenant)))
        run.progress({"done": 0, "written": 0, "total": total, "passes": 0})
        run.keep()
    while True:
        begun = context.clock()
        found = walk(context, run, reason, is_meant)
        run.progress({"passes": run.job.progress["passes"] + 1})
        if everybody:
            return {**run.job.progress}
        left = job.created_at + SETTLED - begun
        if not found and left <= timedelta(0):
            return {**run.job.progress}
        if not found:
            run.wait(left)


def walk(context: Context, run: Run, reason: Reason, is_meant: Callable[[Customer], bool]) -> bool:
    """Score those of the roster who are meant, and tell whether there was, or may have been, one.

    Goes on from the job's place; `done` and `written` are counted in its progress.
    """
    # What was read before an interruption is not known any more: such a walk proves nothing.
    found = run.job.place is not None
    page: list[Customer] = []
    for customer in context.customers.roster(context.tenant, descending=False, after=run.job.place):
        if not is_meant(customer):
            continue
        page.append(customer)
        if len(page) == PAGE:
            _scored(context, run, [each.id for each in page], reason, place_of(page[-1]))
            found, page = True, []
    _scored(context, run, [each.id for each in page], reason, None)
    return found or bool(page)


def _named(context: Context, run: Run, reason: Reason, ids: Sequence[str]) -> dict[str, Any]:
    """Score the customers that were named."""
    for start in range(run.job.progress.get("done", 0), len(ids), PAGE):
        _scored(context, run, ids[start : start + PAGE], reason, None)
    return {**run.job.progress, "total": len(ids)}


def _is_meant(context: Context, customer: Customer, before: datetime | None) -> bool:
    """Tell whether *customer* is of an older model, or was last written *before* then.

    One in the trash is scored when it is restored.
    """
    older = customer.model_version < context.tenant.model_version
    idle = before is not None and customer.updated_at < before
    return customer.deleted_at is None and (older or idle)


def _scored(
    context: Context,
    run: Run,
    ids: Sequence[str],
    reason: Reason,
    place: tuple[str, str] | None,
) -> None:
    """Score the customers of *ids*, several at once, and count them in the job's progress."""
    known = context.customers.get_many(context.tenant, ids)

    def one(customer_id: str) -> bool:
        return _score(context, known.get(customer_id), customer_id, reason)

    with ThreadPoolExecutor(max_workers=WRITERS) as writers:
        written = sum(writers.map(one, ids))
    so_far = run.job.progress
    counts = {
        "done": so_far.get("done", 0) + len(ids),
        "written": so_far.get("written", 0) + written,
    }
    run.progress(counts, place)


def _score(context: Context, before: Customer | None, customer_id: str, reason: Reason) -> bool:
    """Publish the score of one customer and tell whether anything was written.

    Raises BusyError when the run's time is over before a try succeeds.
    """
    for attempt in count():
        if before is None or before.deleted_at is not None:
            return False
        current = replace(context, now=context.clock())
        after, change = published(current, before, before, reason)
        if change is None:
            return False
        try:
            context.customers.commit(context.tenant, Commit(before, after, change))
        except (WriteConflictError, StorageBusyError):
            context.pause(attempt)
            before = context.customers.get(context.tenant, customer_id)
        else:
            return True
    raise AssertionError("count() is endless")
