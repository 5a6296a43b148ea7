"""The preview job: what a change of the model would move, and nothing stored (PLUS-05)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vitals.domain.instants import iso
from vitals.domain.job import Job
from vitals.domain.migration import Migration, Mover, why
from vitals.domain.model import ScoringModel
from vitals.domain.model_document import model_from_document
from vitals.usecases.context import Context
from vitals.usecases.runner import Run


def run(context: Context, run: Run, job: Job) -> dict[str, Any]:
    """Return the band-migration matrix of *job*'s document over every customer, and who moves.

    Before is each customer as it is read now, after as it would be: both as of one instant.
    """
    base = context.model_of(job.params["base"])
    candidate = model_from_document(base.version + 1, job.params["document"])
    migration = Migration(context.now)
    done = 0
    for customer in context.customers.roster(context.tenant):
        if customer.deleted_at is None:
            migration.add(customer, context.model_of(customer.model_version), candidate)
            done += 1
            run.progress({"done": done})
    return {
        "as_of": iso(context.now),
        "base_version": base.version,
        "customers": done,
        "moved": migration.moved,
        "changed_band": sum(n for (old, new), n in migration.bands.items() if old != new),
        "matrix": migration.matrix(),
        "movers": [
            _shown(mover, context.model_of(mover.customer.model_version), candidate, context.now)
            for mover in migration.farthest()
        ],
    }


def _shown(
    mover: Mover, before: ScoringModel, after: ScoringModel, now: datetime
) -> dict[str, Any]:
    return {
        "id": mover.customer.id,
        "name": mover.customer.name,
        "score": [mover.before[0], mover.after[0]],
        "status": [mover.before[1], mover.after[1]],
        "contributions": why(mover.customer, before, after, now),
    }
