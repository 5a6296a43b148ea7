"""An alert: one occurrence of what a rule looks for, and what people did about it (IQ-105)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from vitals.domain.edges import Fired
from vitals.domain.instants import iso
from vitals.domain.model import AT_RISK_BANDS
from vitals.domain.numbers import Number
from vitals.domain.rule import (
    AT_RISK,
    ATTENTION,
    CONDITION,
    CRITICAL,
    DETRACTOR,
    DROP,
    FALLING,
    HEALTH_BELOW,
    LIFECYCLE,
    NEGATIVE,
    NO_CONTACT,
    RENEWAL,
    WARNING,
    Trigger,
)
from vitals.domain.standing import DROP_DAYS, Standing

OPEN, DISMISSED, RESOLVED = "open", "dismissed", "resolved"
STATES = (OPEN, DISMISSED, RESOLVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What fired, of whom, when and why; *state* and what follows is what people made of it.

    *id* follows from rule, event, customer and occurrence alone. *before* and *after* are the
    event's own values. *moved* are the contributions that moved with it. A snoozed alert is hidden
    until *snoozed_until*; it resolves by itself once it holds no more. *reopened_at* is since when
    one that was over holds again.
    """

    id: str
    tenant_id: str
    customer_id: str
    customer: Mapping[str, Any]
    rule_id: str
    rule_name: str
    event: str
    trigger: str
    severity: str
    category: str
    message: str
    at: datetime
    before: Any = None
    after: Any = None
    initial: bool = False
    change_id: str | None = None
    moved: tuple[Mapping[str, Any], ...] = ()
    state: str = OPEN
    reopened_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    snoozed_until: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    escalated_at: datetime | None = None
    version: int = 1

    def is_shown(self, now: datetime) -> bool:
        """Tell whether the alert is open and not snoozed at *now*."""
        return self.state == OPEN and not self.is_snoozed(now)

    def is_snoozed(self, now: datetime) -> bool:
        """Tell whether the alert is open and hidden at *now*."""
        hidden = self.snoozed_until is not None and self.snoozed_until > now
        return self.state == OPEN and hidden

    @property
    def mrr(self) -> Number | None:
        """Return the customer's MRR when it fired: what is exposed."""
        found: Number | None = self.customer.get("mrr")
        return found


def trigger_key(trigger: Trigger) -> str:
    """Return what tells a trigger from the others of its rule."""
    return trigger.event if trigger.limit is None else f"{trigger.event}:{trigger.limit}"


def alert_of(fired: Fired, moved: tuple[Mapping[str, Any], ...], change_id: str | None) -> Alert:
    """Return the alert of *fired*; the same occurrence always gives the same id."""
    rule, trigger, after = fired.rule, fired.trigger, fired.after
    customer = after.customer
    before_value, after_value = _values(trigger, fired.before, after)
    return Alert(
        id=f"{customer.id}_{short_hash(rule.id, trigger_key(trigger), customer.id, fired.key)}",
        tenant_id=customer.tenant_id,
        customer_id=customer.id,
        customer=customer_brief(after),
        rule_id=rule.id,
        rule_name=rule.name,
        event=trigger.event,
        trigger=trigger_key(trigger),
        severity=rule.severity or trigger.severity or _severity(trigger, after),
        category=trigger.category or _CATEGORIES[trigger.event],
        message=_message(rule.name, trigger, fired, before_value, after_value),
        before=before_value,
        after=after_value,
        initial=fired.is_initial,
        at=after.at,
        change_id=change_id,
        moved=moved,
    )


def short_hash(*parts: str) -> str:
    """Return 26 letters and digits that follow from *parts* alone."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    number = int.from_bytes(digest[:17], "big") >> 6
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return "".join(letters[number >> 5 * place & 31] for place in reversed(range(26)))


def customer_brief(standing: Standing) -> dict[str, Any]:
    """Return what a message says of a customer as it stands."""
    customer = standing.customer
    score, status = standing.published
    renewal = customer.renewal_date
    return {
        "id": customer.id,
        "name": customer.name,
        "external_id": customer.external_id,
        "score": score,
        "status": status,
        "tier": customer.tier,
        "lifecycle": customer.lifecycle,
        "manager": customer.manager,
        "mrr": customer.mrr,
        "renewal_date": renewal.isoformat() if renewal else None,
        "days_until_renewal": (renewal - standing.today).days if renewal else None,
        "last_contact_on": _day(customer.last_contact_on),
    }


def alert_view(alert: Alert) -> dict[str, Any]:
    """Return what a message says of *alert* beside the customer."""
    return {
        "id": alert.id,
        "event": alert.event,
        "severity": alert.severity,
        "category": alert.category,
        "message": alert.message,
        "before": alert.before,
        "after": alert.after,
        "initial": alert.initial,
        "at": iso(alert.at),
    }


_CATEGORIES: Mapping[str, str] = {
    HEALTH_BELOW: "health",
    AT_RISK: "health",
    RENEWAL: "renewal",
    NO_CONTACT: "quiet",
    DETRACTOR: "sentiment",
    NEGATIVE: "sentiment",
    LIFECYCLE: "health",
    DROP: "momentum",
    FALLING: "momentum",
    CONDITION: "health",
}


def _severity(trigger: Trigger, after: Standing) -> str:
    """Return how urgent an event is: by where the customer stands (IQ-106)."""
    critical = after.published[1] == AT_RISK_BANDS[0]
    match trigger.event:
        case "health_below_threshold" | "account_at_risk" | "rapid_score_drop":
            return CRITICAL if critical else WARNING
        case "lifecycle_change":
            return CRITICAL if after.customer.lifecycle == "churned" else WARNING
        case "renewal_approaching":
            return _renewal_severity(after)
        case "no_contact":
            return WARNING if after.value("cadence_status") == "overdue" else ATTENTION
        case "nps_detractor":
            return WARNING
        case _:
            return ATTENTION


def _renewal_severity(after: Standing) -> str:
    days = after.renewal_in
    for severity, (window, _) in zip(
        (CRITICAL, WARNING, ATTENTION), after.model.renewal_windows, strict=True
    ):
        if days is not None and days <= window:
            return severity
    return ATTENTION


def _values(trigger: Trigger, before: Standing | None, after: Standing) -> tuple[Any, Any]:
    read = _VALUES.get(trigger.event, _score)
    return (read(before) if before else None), read(after)


def _score(standing: Standing) -> Any:
    return standing.published[0]


_VALUES: Mapping[str, Any] = {
    AT_RISK: lambda standing: standing.published[1],
    RENEWAL: lambda standing: _day(standing.customer.renewal_date),
    NO_CONTACT: lambda standing: standing.quiet_days,
    DETRACTOR: lambda standing: standing.customer.signals.get("nps"),
    LIFECYCLE: lambda standing: standing.customer.lifecycle,
    FALLING: lambda standing: standing.momentum,
    NEGATIVE: lambda standing: standing.customer.sentiment,
}


def _message(name: str, trigger: Trigger, fired: Fired, before: Any, after: Any) -> str:
    """Return the event in one sentence."""
    say = _SENTENCES.get(trigger.event)
    return say(fired, before, after) if say else f"{name} began to hold"


def _below(fired: Fired, before: Any, after: Any) -> str:
    first = "Score is" if fired.is_initial else f"Score fell from {before} to"
    return f"{first} {after}, below {fired.trigger.limit}"


def _at_risk(_fired: Fired, before: Any, after: Any) -> str:
    return f"Status is {_words(after)}" + (f", was {_words(before)}" if before else "")


def _detractor(_fired: Fired, before: Any, after: Any) -> str:
    was = f", was {before}" if before is not None else ""
    return f"NPS is {after}: a detractor{was}"


def _quiet(fired: Fired, _before: Any, after: Any) -> str:
    return f"No contact for {after} days, since {fired.after.contacted.isoformat()}"


def _dropped(fired: Fired, _before: Any, after: Any) -> str:
    return f"Score dropped by {fired.after.drop} points within {DROP_DAYS} days, to {after}"


def _staged(_fired: Fired, before: Any, after: Any) -> str:
    first = f"went from {_words(before)} to" if before else "is"
    return f"Lifecycle {first} {_words(after)}"


def _fell(fired: Fired, _before: Any, after: Any) -> str:
    return f"Score moved by {after} points in {fired.after.model.momentum_days} days"


_SENTENCES: Mapping[str, Callable[[Fired, Any, Any], str]] = {
    HEALTH_BELOW: _below,
    AT_RISK: _at_risk,
    RENEWAL: lambda fired, _, day: f"Renews in {fired.after.renewal_in} days, on {day}",
    NO_CONTACT: _quiet,
    DETRACTOR: _detractor,
    LIFECYCLE: _staged,
    DROP: _dropped,
    FALLING: _fell,
    NEGATIVE: lambda *_: "Sentiment is negative",
}


def _words(value: Any) -> str:
    return {"atrisk": "at risk"}.get(value, str(value).replace("_", " "))


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
