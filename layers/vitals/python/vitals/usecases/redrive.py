"""redrive, and the job that raises and tells what is missing of a range of time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vitals.domain.alert import OPEN, RESOLVED, Alert
from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.edges import passed
from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.instants import iso
from vitals.domain.job import Job
from vitals.domain.replay import versions
from vitals.storage.ports import ModelVersion, StorageBusyError, WriteConflictError
from vitals.usecases.administer import Administering, Plan, administer
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Instant
from vitals.usecases.inputs import read
from vitals.usecases.jobs import REDRIVE, job_view, new_job
from vitals.usecases.match_rule import holds
from vitals.usecases.react import react, react_to_time, timed_rules
from vitals.usecases.rulebook import rulebook
from vitals.usecases.runner import LostError, OutOfTimeError, Run, place_of
from vitals.usecases.subscribers import react_to_model

LONGEST = timedelta(days=29)
"""A delivery is kept for thirty days: what was told longer ago is not known any more."""
STRADDLED = timedelta(days=1)
"""A rescore is through by then: a customer may have got an older model as late."""
_MOMENT = timedelta(milliseconds=1)


class RedriveInput(Administering):
    """From when on, and until when, reactions may be missing."""

    since: Instant
    until: Instant | None = None


def redrive(context: Context, given: Mapping[str, Any]) -> Answer:
    """Start a job that raises and tells what is missing since *since*, and nothing that is there.

    Up to *until*, else now; *since* is at most 29 days ago.
    """
    parsed, warnings, _ = read(RedriveInput, given)

    def plan(context: Context) -> Plan:
        until = min(parsed.until or context.now, context.now)
        if parsed.since >= until:
            raise _refused("must be before until, and in the past")
        if parsed.since < context.now - LONGEST:
            raise _refused(
                f"must be at most {LONGEST.days} days ago: what was told before is not kept, and "
                "would be told again"
            )
        span = {"since": iso(parsed.since), "until": iso(until)}
        job = new_job(context, REDRIVE, span)
        answer = {"job_id": job.id, "data": job_view(job), "warnings": warnings}
        return Plan(subject=job.id, answer=answer, details=span, job=job)

    return administer(context, "redrive", plan, dry_run=parsed.dry_run)


def _refused(message: str) -> ValidationError:
    return ValidationError([FieldError("since", "out_of_range", message)])


def run(context: Context, run: Run, job: Job) -> dict[str, Any]:
    """Raise and tell what is missing of the range, customer by customer, each in its own order.

    By the rules and connections of today. Goes on from where the run before it stopped; running
    it twice changes nothing the second time. Whoever was erased since is left out.
    """
    return _Redrive(context, run, job).go()


class _Redrive:
    """One run: `customers` were looked at, `changes` reacted to, `raised` alerts were missing.

    `within` is how many changes of the customer in hand are done: it goes on behind them.
    """

    def __init__(self, context: Context, run: Run, job: Job) -> None:
        self._context = context
        self._run = run
        self._since = datetime.fromisoformat(job.params["since"])
        self._until = datetime.fromisoformat(job.params["until"])
        self._book = rulebook(context)
        self._rules = timed_rules(context, self._book)
        self._models = _models_since(context, self._since - STRADDLED)
        self._young = {made.version for made in self._models}
        # Whoever is written on the way is met again at the roster's end.
        self._seen: set[str] = set()

    def go(self) -> dict[str, int]:
        """React to the range's models, and to everybody's changes and days; return what it did."""
        for made in self._models:
            if made.at is not None and self._since <= made.at <= self._until:
                react_to_model(self._context, self._book, made.version)
        place = self._run.job.place
        if place is not None and self._run.job.progress["within"]:
            in_hand = self._context.customers.get(self._context.tenant, place[1])
            if in_hand is None:
                self._note(place)
            else:
                self._one(in_hand, place)
        roster = self._context.customers.roster(self._context.tenant, descending=False, after=place)
        for customer in roster:
            if customer.id not in self._seen:
                self._one(customer, place_of(customer))
        return {name: count for name, count in self._plus().items() if name != "within"}

    def _one(self, customer: Customer, place: tuple[str, str]) -> None:
        self._seen.add(customer.id)
        failed = 0
        try:
            if customer.updated_at < self._since and customer.model_version not in self._young:
                self._pass_days(customer, self._since, self._until)
            else:
                self._react(customer, place)
        except (StorageBusyError, OutOfTimeError, LostError):
            raise
        except Exception as error:  # noqa: BLE001 - one customer must not stop the others
            self._context.report(error)
            failed = 1
        self._note(place, customers=1, failed=failed)

    def _react(self, customer: Customer, place: tuple[str, str]) -> None:
        """React to all that happened to *customer* in the range, the oldest first."""
        context = self._context
        newest_first = context.customers.history(context.tenant, customer.id)
        changes = list(newest_first)[::-1]
        if not changes or changes[0].version != 1:
            return  # erased meanwhile
        shown = [alert for alert in self._alerts_of(customer) if alert.state == OPEN]
        done = self._run.job.progress.get("within", 0)
        last: Customer | None = None
        begun = self._since
        for before, after, change in versions(context.tenant.id, changes, context.model_of):
            if change.at > self._until:
                break
            if change.at >= self._since:
                if done > 0:
                    done -= 1
                else:
                    self._change(before, after, change, begun)
                    self._note(place, within=1, changes=1)
                begun = change.at
            last = after
        if last is not None:
            self._pass_days(last, begun, self._until)
        self._show_again(shown, customer)
        if context.customers.is_purged(context.tenant, customer.id):
            # What was raised meanwhile must not outlive it (AMB-13).
            context.outbound.alerts.erase(context.tenant.id, customer.id)

    def _change(
        self, before: Customer | None, after: Customer, change: Change, begun: datetime
    ) -> None:
        if before is not None:
            self._pass_days(before, begun, change.at - _MOMENT)
        self._raised(react(self._context, self._book, before, after))

    def _show_again(self, shown: list[Alert], customer: Customer) -> None:
        """Open what the range alone would have closed: the same holds again since, or was woken."""
        alerts = self._alerts_of(customer) if shown else []
        said = {(each.rule_id, each.trigger) for each in alerts if each.state == OPEN}
        were_open = {each.id for each in shown}
        for alert in alerts:
            closed = alert.id in were_open and alert.state == RESOLVED
            # What another open alert says already needs no second.
            is_said = (alert.rule_id, alert.trigger) in said
            if closed and not is_said and holds(self._context, self._book, alert):
                with suppress(WriteConflictError):
                    again = replace(alert, state=OPEN, closed_at=None)
                    self._context.outbound.alerts.save(again)

    def _alerts_of(self, customer: Customer) -> list[Alert]:
        return self._context.outbound.alerts.of_customer(self._context.tenant.id, customer.id)

    def _pass_days(self, customer: Customer, since: datetime, until: datetime) -> None:
        """React to each midnight from *since* to *until*, as the daily pass did.

        To one at which the score had moved, the change that published it is reacted to.
        """
        if customer.deleted_at is not None:
            return
        model = self._context.model_of(customer.model_version)
        for step in passed(customer, model, since - _MOMENT, until):
            if step.after.published == (customer.score, customer.status):
                at = step.after.at
                raised = react_to_time(
                    self._context, self._book, self._rules, customer, at - _MOMENT, until=at
                )
                self._raised(raised)

    def _raised(self, count: int) -> None:
        if count:
            self._run.job = replace(self._run.job, progress=self._plus(raised=count))

    def _note(self, place: tuple[str, str], **counts: int) -> None:
        """Add *counts* to the progress; without `within`, the customer at *place* is done."""
        progress = self._plus(**counts)
        if "within" not in counts:
            progress["within"] = 0
        self._run.progress(progress, place)

    def _plus(self, **counts: int) -> dict[str, int]:
        names = ("customers", "changes", "raised", "within")
        progress = {**dict.fromkeys(names, 0), **self._run.job.progress}
        return progress | {
            name: progress.get(name, 0) + count
            for name, count in counts.items()
            if count or name in progress
        }


def _models_since(context: Context, since: datetime) -> list[ModelVersion]:
    """Return the model versions made since then, the oldest first."""
    found = []
    for made in context.tenants.models(context.tenant.id):
        if made.at is None or made.at < since:
            break
        found.append(made)
    return found[::-1]
