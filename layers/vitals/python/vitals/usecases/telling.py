"""Who is told of what, how and when: deliveries, and what waits for a summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from vitals.domain.alert import Alert, short_hash
from vitals.domain.delivery import Delivery
from vitals.domain.events import Event
from vitals.domain.instants import iso
from vitals.domain.notice import alert_fired
from vitals.domain.rule import CRITICAL, Rule
from vitals.storage.ports import Wake
from vitals.storage.reaction_ports import DIGEST, ESCALATION, Raised
from vitals.usecases.context import Context
from vitals.usecases.rulebook import Rulebook

SUMMED = frozenset({"import", "rescore", "model"})
"""Causes that move many customers at once: one summary a rule, never a flood."""
SUMMED_AFTER = timedelta(minutes=10)
"""A summary of them waits for so long, and up to as much again, for what else they move."""
LATE = timedelta(minutes=1)
"""Nothing is added to a summary that may be on its way: it would be taken for told."""
FOUND_AFTER = timedelta(minutes=1)
"""What the table's stream has not sent on its way by then is found by the schedule."""


def deliveries_of(context: Context, event: Event, connections: Iterable[str]) -> list[Delivery]:
    """Return a delivery of *event* for each of *connections*; each always gets the same id."""
    owner = event.customer_id or short_hash(event.id)
    payload = event.payload()
    return [
        Delivery(
            id=f"{owner}_{short_hash(connection, event.id)}",
            tenant_id=context.tenant.id,
            connection_id=connection,
            event_id=event.id,
            event_type=event.type,
            payload=payload,
            created_at=context.now,
            customer_id=event.customer_id,
            next_at=context.now + FOUND_AFTER,
        )
        for connection in connections
    ]


def named_in(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of the customers that a summary's *lines* name, each once."""
    return list(dict.fromkeys(str(line["customer"]["id"]) for line in lines))


def raised_by(
    context: Context,
    book: Rulebook,
    rule: Rule,
    alerts: Sequence[Alert],
    *,
    cause: str,
    subscribers: Iterable[str],
) -> Raised:
    """Return all that *alerts* of one rule and customer give, told at once or in a summary."""
    manager = alerts[0].customer.get("manager")
    receivers = book.receivers(rule, manager)
    at, event = alerts[0].at, alert_fired(alerts)
    raised = Raised(alerts=alerts, wakes=_escalations(rule, alerts))
    occurrence = rule.schedule.next_after(at, context.where)
    if not receivers or (occurrence is None and cause not in SUMMED):
        told = dict.fromkeys((*receivers, *subscribers))
        return replace(raised, deliveries=deliveries_of(context, event, told))
    boxes = _boxes(book, rule, manager)
    if occurrence is None:
        boxes = [f"{box}+{cause}+{context.tenant.model_version}" for box in boxes]
        when = _next(context.now + SUMMED_AFTER, SUMMED_AFTER)
    else:
        # One that is over has been sent: what is told of late is a summary of its own.
        when = max(occurrence, _next(context.now + LATE, LATE))
    return replace(
        raised,
        deliveries=deliveries_of(context, event, subscribers),
        lines=[(box, alert) for box in boxes for alert in alerts],
        summaries=[Wake(rule.tenant_id, DIGEST, f"{box}#{iso(when)}", when) for box in boxes],
    )


def _next(instant: datetime, every: timedelta) -> datetime:
    """Return the first whole multiple of *every* from *instant* on: what is due then is one."""
    seconds = int(every.total_seconds())
    return datetime.fromtimestamp(-(-instant.timestamp() // seconds) * seconds, UTC)


def _boxes(book: Rulebook, rule: Rule, manager: str | None) -> list[str]:
    """Return where alerts wait: for the rule's own connections, and for the manager's.

    A manager is hashed: a name may hold anything, also what the box's name is put together with.
    """
    boxes = [rule.id] if book.reachable(rule.connections) else []
    own = (manager or "").casefold()
    if rule.to_manager and book.reachable(book.managers.get(own, ())):
        boxes.append(f"{rule.id}@{short_hash(own)}")
    return boxes


def _escalations(rule: Rule, alerts: Iterable[Alert]) -> list[Wake]:
    if rule.escalate_after is None:
        return []
    return [
        Wake(rule.tenant_id, ESCALATION, alert.id, alert.at + rule.escalate_after)
        for alert in alerts
        if alert.severity == CRITICAL
    ]
