"""The preview job: what a change of the model would move, and nothing stored (PLUS-05)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from vitals.domain.instants import iso
from vitals.domain.job import Job
from vitals.domain.migration import Migration
from vitals.domain.model_document import model_from_document
from vitals.usecases.context import Context
from vitals.usecases.runner import OutOfTimeError, Run, place_of

STRIDE = 100
"""The clock is looked at once for so many customers."""


def run(context: Context, run: Run, job: Job) -> dict[str, Any]:
    """Return the band-migration matrix of *job*'s document over every customer, and who moves.

    Before is each customer as it is read, after as a rescore would leave it, both as of when the
    job began. Cut short, it goes on with what it had gathered.
    """
    base = context.model_of(job.params["base"])
    candidate = model_from_document(base.version + 1, job.params["document"])
    as_of = job.started_at or context.now
    migration = _gathered(as_of, job)
    count = run.job.progress.get("done", 0)
    for customer in context.customers.roster(context.tenant, descending=False, after=run.job.place):
        if customer.deleted_at is None:
            migration.add(customer, context.model_of(customer.model_version), candidate)
            count += 1
        if count % STRIDE == 0:
            try:
                run.progress({"done": count}, place_of(customer))
            except OutOfTimeError:
                run.job = replace(run.job, result=migration.result())
                raise
    # Not by run.progress: out of time here, it would begin anew with all that it has gathered.
    run.job = replace(run.job, progress={**run.job.progress, "done": count})
    return {"as_of": iso(as_of), "base_version": base.version, **migration.result()}


def _gathered(as_of: datetime, job: Job) -> Migration:
    """Return what earlier runs of *job* gathered."""
    if job.result is None:
        return Migration(as_of)
    known = job.result
    matrix = {old: dict(row) for old, row in known["matrix"].items()}
    return Migration(as_of, matrix, known["moved"], list(known["movers"]))
