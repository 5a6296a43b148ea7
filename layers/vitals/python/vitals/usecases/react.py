"""Reacting to what was written: the alerts that it raises, and who is told (AMB-08, AMB-10)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from vitals.domain import events
from vitals.domain.alert import OPEN, RESOLVED, Alert, alert_of, trigger_key
from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.edges import Cleared, Fired, edges, passed, rezoned, timed, written
from vitals.domain.firing import is_armed, judged_before, not_cooling
from vitals.domain.notice import FIRED
from vitals.domain.rule import Rule
from vitals.storage.ports import WriteConflictError
from vitals.usecases.context import Context
from vitals.usecases.rulebook import Rulebook
from vitals.usecases.subscribers import EVENTS_OF_TIME, looked_for, tell_change, tell_time, told_of
from vitals.usecases.telling import raised_by


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of the write that is reacted to: nothing where time alone passed."""

    change: Change | None = None

    @property
    def cause(self) -> str:
        """Return why, as what moves many at once is told of; one score asked for is not that."""
        if self.change is None or self.change.action == "score_customer":
            return ""
        return self.change.cause

    @property
    def moved(self) -> tuple[dict[str, Any], ...]:
        """Return the contributions that moved."""
        return tuple(events.moved(self.change)) if self.change else ()


def react(context: Context, book: Rulebook, before: Customer | None, after: Customer) -> int:
    """Raise and tell all that follows from the version *after*, and from the time before it.

    Returns how many alerts are new. Doing it again changes nothing. Raises StorageBusyError.
    """
    if before is not None and before.updated_at == after.updated_at:
        # Signals arrived that were known, or nobody can see what changed (AMB-05).
        return _react_to_zone(context, book, before, after)
    if after.deleted_at is not None:
        if before is not None and before.deleted_at is None:
            _close_before(context, after)
            tell_change(context, book, before, after, _change(context, after))
        return 0
    fired, cleared = edges(
        (*book.rules, *looked_for(context, book)), written(before, after, context.model_of)
    )
    change = _change(context, after) if fired or book.subscriptions else None
    if fired and change is None:
        return 0  # purged since: nothing may be told of it any more (AMB-13)
    raised = _settle(context, book, fired, cleared, Told(change))
    if change is not None:
        tell_change(context, book, before, after, change)
    return raised


def _react_to_zone(context: Context, book: Rulebook, before: Customer, after: Customer) -> int:
    """Raise and tell what a new time zone made true: a day that it skips has no midnight."""
    old, new = context.model_of(before.model_version), context.model_of(after.model_version)
    if old.time_zone == new.time_zone:
        return 0
    change = _change(context, after)
    if change is None:
        return 0
    steps = rezoned(before, after, change.id, change.at, context.model_of)
    fired, cleared = edges(timed_rules(context, book), steps)
    return _settle(context, book, fired, cleared, Told(change)) if fired or cleared else 0


def react_to_time(
    context: Context,
    book: Rulebook,
    rules: Sequence[Rule],
    customer: Customer,
    since: datetime,
    *,
    until: datetime | None = None,
) -> int:
    """Raise and tell what time alone made true at the midnights behind *since*, up to now.

    Or up to *until*. Of a *customer* whose score stood still; *rules* are `timed_rules`. Who was
    written meanwhile is reacted to by that. Returns how many alerts are new.
    """
    model = context.model_of(customer.model_version)
    steps = passed(customer, model, since, until or context.now, stood_still=True)
    fired, cleared = edges(rules, steps)
    return _settle(context, book, fired, cleared, Told()) if fired or cleared else 0


def timed_rules(context: Context, book: Rulebook) -> list[Rule]:
    """Return what time alone can make true, of the tenant's rules and of what is subscribed to."""
    return timed((*book.rules, *looked_for(context, book)))


def _settle(
    context: Context,
    book: Rulebook,
    fired: Sequence[Fired],
    cleared: Sequence[Cleared],
    told: Told,
) -> int:
    raised = 0
    of_rules = [each for each in fired if each.rule.id not in EVENTS_OF_TIME]
    for each in fired:
        if each.rule.id in EVENTS_OF_TIME:
            tell_time(context, book, each)
    for _, group in groupby(sorted(of_rules, key=_evaluation), key=_evaluation):
        news = [each for each in group if _is_armed(context, each)]
        if news:
            raised += _raise(context, book, news, told)
    if cleared:
        # Last: what began and ceased to hold since the version before is over as well.
        _resolve(context, cleared)
    return raised


def _evaluation(fired: Fired) -> tuple[datetime, str]:
    """Return what is told together: a rule's events of one instant (AMB-10).

    A midnight is one, whether the daily pass or the next write finds what it brought: else the
    same events would be told under other ids, by who was first.
    """
    return fired.after.at, fired.rule.id


def _raise(context: Context, book: Rulebook, fired: Sequence[Fired], told: Told) -> int:
    """Raise the alerts of one rule and customer, tell of them together, once; count the new."""
    rule, standing = fired[0].rule, fired[-1].after
    change = told.change
    alerts = [alert_of(each, told.moved, change.id if change else None) for each in fired]
    # One occurrence found at two steps, as a renewal that was moved there and back, is one alert.
    alerts = list({alert.id: alert for alert in alerts}.values())
    if rule.cooldown is not None:
        alerts = not_cooling(rule, alerts, _alerts_of(context, standing.customer))
    subscribers = told_of(book, FIRED, standing)
    there: frozenset[str] = frozenset()
    while alerts:
        raised = raised_by(context, book, rule, alerts, cause=told.cause, subscribers=subscribers)
        untold = [each for each in raised.deliveries if each.id not in there]
        found = context.outbound.alerts.raise_all(
            context.tenant.id, replace(raised, deliveries=untold)
        )
        if found <= there:
            break
        there |= found
        _reopen(context, [alert for alert in alerts if alert.id in there])
        alerts = [alert for alert in alerts if alert.id not in there]
    return len(alerts)


def _reopen(context: Context, alerts: Sequence[Alert]) -> None:
    """Show again what had resolved and holds anew, as of the same day: told of it is once."""
    for alert in alerts:
        known = context.outbound.alerts.get(context.tenant.id, alert.id)
        over = known is not None and known.state == RESOLVED and known.closed_at is not None
        if known is not None and over and (known.closed_at or alert.at) < alert.at:
            again = replace(
                known,
                state=OPEN,
                reopened_at=alert.at,
                closed_at=None,
                customer=alert.customer,
            )
            with suppress(WriteConflictError):
                context.outbound.alerts.save(again)


def _is_armed(context: Context, fired: Fired) -> bool:
    """Tell whether the score has recovered since it was last below the limit (hysteresis)."""
    version = judged_before(fired)
    return version is None or is_armed(
        fired,
        context.customers.history(context.tenant, fired.after.customer.id, before_version=version),
    )


def _resolve(context: Context, cleared: Sequence[Cleared]) -> None:
    """Close the alerts of what holds no more; those raised since stay."""
    over = {(each.rule.id, trigger_key(each.trigger)): each for each in cleared}
    customer = cleared[0].customer_id
    found = context.outbound.alerts.of_customer(context.tenant.id, customer)
    ended = [
        replace(alert, closed_at=end.at)
        for alert in found
        if alert.state == OPEN
        and (end := over.get((alert.rule_id, alert.trigger))) is not None
        and (alert.reopened_at or alert.at) < end.at
    ]
    close(context, ended)


def _close_before(context: Context, gone: Customer) -> None:
    """Close the alerts of a customer in the trash; those raised since it was restored stay."""
    at = gone.updated_at
    ended = [
        replace(alert, closed_at=at)
        for alert in _alerts_of(context, gone)
        if alert.state == OPEN and alert.at < at
    ]
    close(context, ended)


def close(context: Context, alerts: Iterable[Alert]) -> None:
    """Resolve those of *alerts* that are open, at the instant that each says, or now."""
    for alert in alerts:
        closed_at = alert.closed_at or context.now
        try:
            context.outbound.alerts.save(replace(alert, state=RESOLVED, closed_at=closed_at))
        except WriteConflictError:
            # Somebody dismissed or snoozed it at this moment: once more, from what it is now.
            newer = context.outbound.alerts.get(context.tenant.id, alert.id)
            if newer is not None and newer.state == OPEN:
                close(context, [newer])


def _alerts_of(context: Context, customer: Customer) -> list[Alert]:
    return context.outbound.alerts.of_customer(context.tenant.id, customer.id)


def _change(context: Context, after: Customer) -> Change | None:
    """Return the record of the change that made *after*: 1 query. None once it was erased."""
    made = context.customers.history(
        context.tenant, after.id, before_version=after.version + 1, page=1
    )
    found = next(made, None)
    return found if found is not None and found.version == after.version else None
