"""Decay: each tenant's day turns, and the scores that time alone moved are published (AMB-04)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.instants import iso, local_day, start_of, zone
from vitals.domain.job import Job
from vitals.domain.model_document import DEFAULT_MODEL
from vitals.domain.mutation import Reason, rescored
from vitals.domain.operations import direction
from vitals.domain.snapshot import Snapshot
from vitals.domain.standing import Standing
from vitals.storage.ports import Clocks, StorageBusyError, Tenants, WriteConflictError
from vitals.usecases.computing import slides
from vitals.usecases.context import Context
from vitals.usecases.jobs import DECAY
from vitals.usecases.react import react_to_time, timed_rules
from vitals.usecases.rescore import walk
from vitals.usecases.rulebook import rulebook
from vitals.usecases.runner import Run

REASON = Reason(action=DECAY, cause=DECAY)
LONGEST = timedelta(days=31)
"""What time made true while nothing ran for longer is not told any more."""
_MOMENT = timedelta(milliseconds=1)


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
            params={"day": today.isoformat(), "since": iso(due.at - _MOMENT)},
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
    """Publish every score, band and stage that time has moved, raise what time alone made true.

    And store the day's snapshot. All of it by one reading of the roster, unless it was
    interrupted. Whoever is written meanwhile is scored by that. Running it twice changes nothing
    the second time; what is not visible is not written (AMB-05).
    """
    turn = _Turn(context, job)
    whole = run.job.place is None
    if not run.job.progress.get("passes"):
        walk(context, run, REASON, turn.look, turn.slid)
        run.keep()
    else:
        whole = False
    snapshot = turn.snapshot if whole else _counted(context)
    figures = snapshot.shown()
    everybody = figures[""] | {"as_of": iso(context.now)}
    day = date.fromisoformat(job.params["day"])
    context.snapshots.put(context.tenant.id, day, figures | {"": everybody}, snapshot.scores)
    return {**run.job.progress, "customers": everybody["customers"]}


class _Turn:
    """One turn of a tenant's day: each customer is looked at once.

    Whose windows of events slide is looked at when they have.
    """

    def __init__(self, context: Context, job: Job) -> None:
        self.snapshot = Snapshot()
        self._context = context
        since = job.params.get("since")
        longest = context.now - LONGEST
        # A window slides however long nothing ran.
        self._turned = datetime.fromisoformat(since) if since else longest
        self._since = max(self._turned, longest)
        self._book = rulebook(context)
        self._rules = timed_rules(context, self._book)
        # Whoever is written on the way is met again at the roster's end.
        self._seen: set[str] = set()
        self._sliding: set[str] = set()

    def look(self, customer: Customer) -> bool:
        """Count *customer*, raise what time made true of it; tell whether it may have moved."""
        if customer.deleted_at is not None:
            return False
        if customer.id not in self._seen and slides(self._context, customer, self._turned):
            self._sliding.add(customer.id)
            return True
        standing = _now(self._context, customer)
        if customer.id not in self._seen:
            self._seen.add(customer.id)
            _count(self.snapshot, standing)
        if standing.published != (customer.score, customer.status):
            return True  # the change that publishes it is reacted to, the time before it as well
        react_to_time(self._context, self._book, self._rules, customer, self._since)
        return False

    def slid(self, customer: Customer, outcome: str) -> None:
        """Count *customer*, whose windows have slid, and raise what time made true of it."""
        if customer.id not in self._sliding:
            return
        self._sliding.remove(customer.id)
        self._seen.add(customer.id)
        _count(self.snapshot, _now(self._context, customer))
        if outcome == "unchanged":
            # Who was written is reacted to by that.
            react_to_time(self._context, self._book, self._rules, customer, self._since)


def _now(context: Context, customer: Customer) -> Standing:
    return Standing(customer, context.model_of(customer.model_version), context.now)


def _count(snapshot: Snapshot, standing: Standing) -> None:
    """Count a customer as it is published, with whether its score rises, falls or stands (IQ-094).

    What the day's turn moves may move the stage as well (AMB-33).
    """
    customer = standing.customer
    if standing.published != (customer.score, customer.status):
        turned, _ = rescored(customer, customer, standing.model, standing.at, staged=True)
        if turned.lifecycle != customer.lifecycle:
            standing = Standing(turned, standing.model, standing.at)
    moves = direction(standing.momentum, standing.model.momentum_points)
    snapshot.add(standing.customer, *standing.published, moves)


def _counted(context: Context) -> Snapshot:
    snapshot = Snapshot()
    for customer in context.customers.roster(context.tenant):
        if customer.deleted_at is None:
            _count(snapshot, _now(context, customer))
    return snapshot
