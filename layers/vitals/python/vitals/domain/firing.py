"""Firing: which edges become alerts, and what a rule would have fired by the record (PLUS-10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any

from vitals.domain.alert import Alert, alert_of
from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.edges import Fired, ModelOf, Step, edges, passed, rezoned, timed, written
from vitals.domain.instants import iso, local_day
from vitals.domain.replay import Version
from vitals.domain.rule import Rule
from vitals.domain.standing import Standing

MOST_HISTORY = 1000
"""So many changes of one customer are looked at for whether its score has recovered."""
MOST_EXAMPLES = 50
_ALWAYS = datetime.min.replace(tzinfo=UTC)


def judged_before(fired: Fired) -> int | None:
    """Return the version before which `is_armed` asks for the changes; None: it needs none.

    Whoever comes from the trash, or from out of the rule's scope, is new to it.
    """
    trigger, customer, before = fired.trigger, fired.after.customer, fired.before
    if trigger.rearm is None or not isinstance(trigger.limit, int):
        return None
    if before is None or not fired.rule.is_for(before.customer.manager):
        return None
    is_write = fired.key == customer.change_id
    return customer.version + (not is_write)


def is_armed(fired: Fired, changes: Iterable[Change]) -> bool:
    """Tell whether the score has recovered since it was last below the limit (hysteresis).

    *changes* are the customer's, newest first, before the version of `judged_before`. It follows
    from them alone: whatever order they are looked at in, and however often, the answer is one.
    """
    trigger = fired.trigger
    limit, rearm = trigger.limit, trigger.rearm
    if rearm is None or not isinstance(limit, int):
        return True
    for change in islice(changes, MOST_HISTORY):
        score, before = change.score_after, change.score_before
        if change.at < fired.rule.enabled_at or (score is not None and score >= rearm):
            return True
        is_below = score is not None and score < limit
        if _is_new(fired.rule, change):
            return not is_below
        if is_below and (before is None or before >= limit):
            return False
    return True


def _is_new(rule: Rule, change: Change) -> bool:
    """Tell whether *change* brought its customer from the trash, or into the scope of *rule*."""
    was, _ = change.changed.get("manager", (None, None))
    deleted, still = change.changed.get("deleted_at", (None, None))
    came = "manager" in change.changed and not rule.is_for(was)
    return came or (deleted is not None and still is None)


def not_cooling(rule: Rule, alerts: Iterable[Alert], there: Iterable[Alert]) -> list[Alert]:
    """Return those of *alerts* of *rule* that no earlier one of the same customer holds back.

    *there* are alerts of the customer that were raised already, of any rule and time. Those of
    one instant hold back none of each other, so it is the same however they come in batches.
    """
    if rule.cooldown is None:
        return list(alerts)
    raised = {alert.at for alert in there if alert.rule_id == rule.id}
    found = []
    for alert in sorted(alerts, key=lambda alert: alert.at):
        if not any(alert.at - rule.cooldown < at < alert.at for at in raised):
            raised.add(alert.at)
            found.append(alert)
    return found


def would_fire(
    rule: Rule, versions: Iterable[Version], since: datetime, until: datetime, model_of: ModelOf
) -> list[Alert]:
    """Return the alerts that *rule* would have raised of one customer from *since* to *until*.

    As if it had been there, enabled, all along; *versions* are all of the customer's, oldest
    first. Each occurrence counts once.
    """
    past = _Past(replace(rule, enabled=True, enabled_at=_ALWAYS))
    last, begun = None, _ALWAYS
    for before, after, change in versions:
        if change.at > until:
            break
        past.pass_days(before, begun, change.at, model_of)
        past.changes.append(change)
        if before is not None and before.updated_at == after.updated_at:
            past.go(rezoned(before, after, change.id, change.at, model_of), is_timed=True)
        elif after.deleted_at is None:
            past.go(written(before, after, model_of))
        last, begun = after, change.at
    past.pass_days(last, begun, until, model_of)
    return [alert for alert in past.raised.values() if alert.at >= since]


@dataclass(slots=True)
class _Past:
    """One customer's past under *rule*: its *changes* so far, and what was *raised* by then."""

    rule: Rule
    changes: list[Change] = field(default_factory=list)
    raised: dict[str, Alert] = field(default_factory=dict)

    def pass_days(
        self, customer: Customer | None, since: datetime, until: datetime, model_of: ModelOf
    ) -> None:
        """Raise what the midnights give at which *customer* stood, however long it was."""
        if customer is not None and customer.deleted_at is None:
            self.go(passed(customer, model_of(customer.model_version), since, until))

    def go(self, steps: Iterable[Step], *, is_timed: bool = False) -> None:
        """Raise what the *steps* give; *is_timed*: what time can move alone."""
        fired, _ = edges(timed([self.rule]) if is_timed else [self.rule], steps)
        alerts = {}
        for each in filter(self._is_armed, fired):
            alert = alert_of(each, (), None)
            alerts[alert.id] = alert
        for alert in not_cooling(self.rule, alerts.values(), self.raised.values()):
            self.raised.setdefault(alert.id, alert)

    def _is_armed(self, fired: Fired) -> bool:
        version = judged_before(fired)
        if version is None:
            return True
        return is_armed(fired, (each for each in reversed(self.changes) if each.version < version))


def holds(rule: Rule, standing: Standing) -> bool:
    """Tell whether *rule* looks for anything that holds of *standing*."""
    return rule.is_for(standing.customer.manager) and any(
        trigger.level(standing) is not None for trigger in rule.triggers
    )


@dataclass(slots=True)
class Tally:
    """What a rule would have fired over a portfolio; *where* tells which week an instant is of."""

    where: tzinfo
    count: int = 0
    customers: int = 0
    holding: int = 0
    by_event: Counter[str] = field(default_factory=Counter)
    by_week: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def gathered(cls, where: tzinfo, known: Mapping[str, Any]) -> Tally:
        """Return the tally that gave the result *known*, to go on with."""
        return cls(
            where=where,
            count=known["count"],
            customers=known["customers"],
            holding=known["holding"],
            by_event=Counter(known["by_event"]),
            by_week=Counter(known["by_week"]),
            examples=list(known["examples"]),
        )

    def add(self, alerts: Sequence[Alert], *, holding: bool) -> None:
        """Count one customer's *alerts*, and whether the rule holds of it."""
        self.holding += holding
        self.customers += bool(alerts)
        self.count += len(alerts)
        for alert in alerts:
            day = local_day(alert.at, self.where)
            self.by_event[alert.event] += 1
            self.by_week[(day - timedelta(days=day.weekday())).isoformat()] += 1
        newest = [*self.examples, *map(_example, alerts)]
        newest.sort(key=lambda each: (each["at"], each["customer_id"]), reverse=True)
        self.examples = newest[:MOST_EXAMPLES]

    def result(self) -> dict[str, Any]:
        """Return the tally as JSON values; a week is named by its Monday."""
        return {
            "count": self.count,
            "customers": self.customers,
            "holding": self.holding,
            "by_event": dict(sorted(self.by_event.items())),
            "by_week": dict(sorted(self.by_week.items())),
            "examples": self.examples,
        }


def _example(alert: Alert) -> dict[str, Any]:
    return {
        "customer_id": alert.customer_id,
        "name": alert.customer["name"],
        "at": iso(alert.at),
        "event": alert.event,
        "before": alert.before,
        "after": alert.after,
        "message": alert.message,
    }
