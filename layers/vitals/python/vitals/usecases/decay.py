"""Decay: each tenant's day turns, and the scores that time alone moved are published (AMB-04)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.instants import iso, local_day, start_of, zone
from vitals.domain.job import Job
from vitals.domain.model_document import DEFAULT_MODEL
from vitals.domain.mutation import Reason
from vitals.domain.snapshot import Snapshot
from vitals.storage.ports import Clocks, StorageBusyError, Tenants, WriteConflictError
from vitals.usecases.context import Context
from vitals.usecases.jobs import DECAY
from vitals.usecases.rescore import walk
from vitals.usecases.runner import Run

REASON = Reason(action=DECAY, cause=DECAY)


def start_due(
    clocks: Clocks, tenants: Tenants, now: datetime, new_id: Callable[[datetime], str]
) -> int:
    """Start the decay job of every tenant whose day has turned by *now*, and return how many.

    Once for each day of each tenant, however often it is called; days that were missed are caught
    up by one job. What the table does not take now is due at the next call.
    """
    started = 0
    for due in clocks.due(now):
        tenant = tenants.tenant(due.tenant_id)
        if tenant is None:
            continue
        document = tenants.model_document(tenant.id, tenant.model_version) or {}
        where = zone({**DEFAULT_MODEL, **document}["time_zone"])
        today = local_day(now, where)
        job = Job(
            id=new_id(now),
            tenant_id=tenant.id,
            kind=DECAY,
            by="schedule",
            created_at=now,
            params={"day": today.isoformat()},
        )
        try:
            clocks.advance(due, start_of(today + timedelta(days=1), where), job)
        except (WriteConflictError, StorageBusyError):
            # Another call has it, or the next one will.
            continue
        started += 1
    return started


def first_due(now: datetime) -> datetime:
    """Return when the day of a new tenant turns first, in its first time zone."""
    where = zone(DEFAULT_MODEL["time_zone"])
    return start_of(local_day(now, where) + timedelta(days=1), where)


def run(context: Context, run: Run, job: Job) -> dict[str, Any]:
    """Publish every score, band and stage that time has moved, then store the day's snapshot.

    Whoever is written meanwhile is scored by that. Running it twice changes nothing the second
    time; what is not visible is not written (AMB-05).
    """
    if not run.job.progress.get("passes"):
        walk(context, run, REASON, lambda customer: _has_moved(context, customer))
        run.keep()
    snapshot = Snapshot()
    for customer in context.customers.roster(context.tenant):
        if customer.deleted_at is None:
            snapshot.add(customer, *context.published(customer))
    figures = {"as_of": iso(context.now), **snapshot.shown()}
    day = date.fromisoformat(job.params["day"])
    context.snapshots.put(context.tenant.id, day, figures)
    return {**run.job.progress, "customers": figures["customers"]}


def _has_moved(context: Context, customer: Customer) -> bool:
    stands = (customer.score, customer.status)
    return customer.deleted_at is None and context.published(customer) != stands
