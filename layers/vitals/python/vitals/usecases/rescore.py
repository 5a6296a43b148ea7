"""rescore_all, and the job that scores every customer under the newest model (IQ-089, 090)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Annotated, Any

from pydantic import PlainValidator

from vitals.domain.customer import Customer
from vitals.domain.errors import BusyError, VitalsError
from vitals.domain.job import QUEUED, Job
from vitals.domain.mutation import Reason
from vitals.storage.ports import Commit, Place, StorageBusyError, WriteConflictError
from vitals.usecases.administer import Administering, Plan, administer
from vitals.usecases.computing import computed_now
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import refuse, split
from vitals.usecases.inputs import read
from vitals.usecases.jobs import RESCORE, job_view, new_job
from vitals.usecases.paging import LONGEST_ID
from vitals.usecases.runner import OutOfTimeError, Run, place_of
from vitals.usecases.write import published

Then = Callable[[Customer, str], None]
"""What is told of a customer and what became of it: written, unchanged or failed."""

WRITERS = 8
PAGE = 100
"""So many customers are read at once: as many as one call takes."""
MAX_IDS = 1000
RECENT = 20
SETTLED = timedelta(seconds=65)
"""An instance may remember the model before for half a minute, and write with it for as long."""


def _ids(raw: object) -> list[str]:
    found = list(dict.fromkeys(split(raw)))
    if not 1 <= len(found) <= MAX_IDS or any(len(each) > LONGEST_ID for each in found):
        refuse("out_of_range", f"must hold 1 to {MAX_IDS} ids of customers")
    return found


class RescoreInput(Administering):
    """Whom to score anew: *ids*, or everybody."""

    ids: Annotated[list[str], PlainValidator(_ids, json_schema_input_type=list[str])] | None = None


def rescore_all(context: Context, given: Mapping[str, Any]) -> Answer:
    """Start a job that scores every customer, or those of `ids`, as of now; overrides stay."""
    parsed, warnings, _ = read(RescoreInput, given)

    def plan(context: Context) -> Plan:
        about = {"cause": "rescore", "action": "rescore_all", "ids": parsed.ids}
        waiting = None if parsed.ids else _waiting(context)
        job = waiting or new_job(context, RESCORE, about)
        answer = {"job_id": job.id, "data": job_view(job), "warnings": warnings}
        details = {"customers": len(parsed.ids) if parsed.ids else "all"}
        return Plan(subject=job.id, answer=answer, details=details, job=None if waiting else job)

    return administer(context, "rescore_all", plan, dry_run=parsed.dry_run)


def _waiting(context: Context) -> Job | None:
    """Return a job that has everybody before it and nothing behind: it does for another asker."""
    for job in islice(context.jobs.all(context.tenant.id, page=RECENT), RECENT):
        everybody = job.params.get("cause") == "rescore" and job.params.get("ids") is None
        if job.state == QUEUED and not job.progress and everybody:
            return job
    return None


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
    # No longer than that, whatever a clock says that is behind the one that made the job.
    unsettled = SETTLED
    while True:
        begun = context.clock()
        written = walk(context, run, reason, is_meant)
        if everybody:
            return {**run.job.progress}
        left = min(unsettled, job.created_at + SETTLED - begun)
        if not written and left <= timedelta(0):
            return {**run.job.progress}
        if not written:
            run.wait(left)
            unsettled -= left


def walk(
    context: Context,
    run: Run,
    reason: Reason,
    is_meant: Callable[[Customer], bool],
    then: Then | None = None,
) -> bool:
    """Score those of the roster who are meant, and tell whether it wrote, or may have written, any.

    Goes on from the job's place. `done`, `written`, `failed` and `passes` are counted in its
    progress; what cannot be scored does not stop the others. *then* is told of each who was meant.
    """
    # What was written before an interruption is not known any more: such a walk proves nothing.
    before = run.job.progress.get("written", 0) - (run.job.place is not None)
    page: list[Customer] = []
    for customer in context.customers.roster(context.tenant, descending=False, after=run.job.place):
        if not is_meant(customer):
            continue
        page.append(customer)
        if len(page) == PAGE:
            place = place_of(page[-1])
            _scored(context, run, [each.id for each in page], reason, place, then=then)
            page = []
    passes = run.job.progress.get("passes", 0) + 1
    _scored(context, run, [each.id for each in page], reason, None, passes=passes, then=then)
    return bool(run.job.progress["written"] > before)


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
    place: Place | None,
    *,
    passes: int | None = None,
    then: Then | None = None,
) -> None:
    """Score the customers of *ids*, several at once, and note it with the *place* to go on from.

    Raises OutOfTimeError, with the old place, if there was no time for all of them.
    """
    known = context.customers.get_many(context.tenant, ids)

    def one(customer_id: str) -> tuple[str, Customer | None]:
        if not context.has_time():
            return "left", None
        return _score(context, known.get(customer_id), customer_id, reason)

    with ThreadPoolExecutor(max_workers=WRITERS) as writers:
        done_with = list(writers.map(one, ids))
    counts = Counter(outcome for outcome, _ in done_with)
    so_far = run.job.progress
    done = so_far.get("done", 0) + len(ids) - counts["left"]
    progress = {
        # Whoever moved on the way is met twice.
        "done": min(done, so_far.get("total", done)),
        "written": so_far.get("written", 0) + counts["written"],
        **({"failed": so_far.get("failed", 0) + counts["failed"]} if counts["failed"] else {}),
    }
    if counts["left"]:
        run.progress(progress, run.job.place)
        raise OutOfTimeError
    for outcome, customer in done_with:
        if then is not None and customer is not None:
            then(customer, outcome)
    run.progress(progress if passes is None else {**progress, "passes": passes}, place)


def _score(
    context: Context, before: Customer | None, customer_id: str, reason: Reason
) -> tuple[str, Customer | None]:
    """Publish the score of one customer and tell whether it was written, unchanged or failed.

    Its computed signals are as of now (AMB-60). Returns the customer as it then is, too.
    Raises BusyError when the run's time is over before a try succeeds.
    """
    for attempt in count():
        if before is None or before.deleted_at is not None:
            return "unchanged", None
        current = replace(context, now=context.clock())
        after, head = computed_now(current, before)
        after, change = published(current, before, after, reason)
        if change is None:
            return "unchanged", before
        try:
            commit = Commit(before, after, change, head=head)
            context.customers.commit(context.tenant, commit)
        except (WriteConflictError, StorageBusyError):
            context.pause(attempt)
            before = context.customers.get(context.tenant, customer_id)
        except BusyError:
            raise
        except VitalsError as error:
            context.report(error)
            return "failed", before
        else:
            return "written", after
    raise AssertionError("count() is endless")
