"""What is due: summaries, escalations, and deliveries whose next attempt has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from vitals.domain.alert import OPEN, short_hash
from vitals.domain.notice import alert_digest, alert_escalated
from vitals.domain.rule import Rule
from vitals.domain.schedule import DAILY, WEEKLY
from vitals.storage.ports import StorageBusyError, Wake, WriteConflictError
from vitals.storage.reaction_ports import DELIVERY, DIGEST
from vitals.usecases.context import Context
from vitals.usecases.rulebook import Rulebook, rulebook
from vitals.usecases.telling import deliveries_of, named_in


def go_on(
    context_of: Callable[[str], Context | None],
    due: Iterable[Wake],
    forget: Callable[[Wake], None],
    report: Callable[[Exception], None],
) -> dict[str, int]:
    """Go on with all that is *due*, and return how much of each kind there was.

    *context_of* gives a tenant's context, None for one that is gone, whose wakes are *forget*'s.
    Doing it again changes nothing. What fails is due again at the next run, and stops nothing else;
    *report* is told of what nobody foresaw.
    """
    counts: dict[str, int] = {}
    for wake in due:
        try:
            context = context_of(wake.tenant_id)
            if context is None:
                forget(wake)
                continue
            if not context.has_time():
                break
            _go_on(context, wake)
        except StorageBusyError:
            continue
        except Exception as error:  # noqa: BLE001 - one tenant's fault must not stop the others
            report(error)
            continue
        counts[wake.kind] = counts.get(wake.kind, 0) + 1
    return counts


def _go_on(context: Context, wake: Wake) -> None:
    if wake.kind == DELIVERY:
        # It is due until an attempt was made; a second message to the queue finds nothing to do.
        delivery = f"{wake.key}-{wake.at.timestamp():.0f}"
        context.outbound.sender.send(context.tenant.id, [(wake.key, delivery)])
    elif wake.kind == DIGEST:
        _send_summary(context, wake)
    else:
        _escalate(context, wake)


def _send_summary(context: Context, wake: Wake) -> None:
    """Send what waits in the box of *wake* as one message to each receiver, once."""
    box = wake.key.partition("#")[0]
    place, _, about = box.partition("+")
    rule_id, _, manager = place.partition("@")
    book = rulebook(context)
    rule = book.rule(rule_id)
    outbound, tenant_id = context.outbound, context.tenant.id
    until = context.now if about else wake.at
    waiting = outbound.alerts.lines(tenant_id, box, until)
    lines = _living(context, [line for line in waiting.values() if line is not None])
    if rule is not None and lines:
        reason = about.partition("+")[0] if about else _reason(rule)
        # Another list is another event: what was added since the first try must be told as well.
        unique = short_hash(box, *sorted(line["id"] for line in lines))
        event = alert_digest(rule, reason, lines, wake.at, unique)
        told = [*_receivers(book, rule, manager), *_subscribers(book, event.type)]
        outbound.deliveries.add(deliveries_of(context, event, dict.fromkeys(told)), named_in(lines))
    # What was told, and no more: another line may have come since.
    outbound.alerts.empty(tenant_id, box, waiting)
    outbound.wakes.done(wake)


def _living(context: Context, lines: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those of *lines* whose customer is neither in the trash nor erased."""
    found = context.customers.get_many(context.tenant, named_in(lines))
    gone = {each.id for each in found.values() if each.deleted_at is not None}
    living = found.keys() - gone
    return [line for line in lines if line["customer"]["id"] in living]


def _subscribers(book: Rulebook, kind: str) -> list[str]:
    """Return who subscribes to what is about no single customer, and so to no filter."""
    return [each.id for each in book.subscribed(kind) if not each.condition]


def _reason(rule: Rule) -> str:
    return WEEKLY if rule.schedule.kind == WEEKLY else DAILY


def _receivers(book: Rulebook, rule: Rule, manager: str) -> tuple[str, ...]:
    """Return who is told of a box: the connections of *rule*, or of the hashed *manager*."""
    if not manager:
        return book.reachable(rule.connections)
    own = next((told for name, told in book.managers.items() if short_hash(name) == manager), ())
    return book.reachable(own)


def _escalate(context: Context, wake: Wake) -> None:
    """Tell those above of a critical alert that nobody took note of in time (PLUS-18)."""
    outbound, tenant_id = context.outbound, context.tenant.id
    alert = outbound.alerts.get(tenant_id, wake.key)
    unseen = alert is not None and alert.state == OPEN and alert.acknowledged_at is None
    if alert is not None and unseen and alert.snoozed_until and alert.is_snoozed(context.now):
        outbound.wakes.set(replace(wake, at=alert.snoozed_until))
        return
    if alert is not None and unseen:
        book = rulebook(context)
        rule = book.rule(alert.rule_id)
        receivers = book.reachable(rule.escalate_to) if rule else ()
        event = alert_escalated(alert, wake.at)
        told = dict.fromkeys((*receivers, *_subscribers(book, event.type)))
        outbound.deliveries.add(deliveries_of(context, event, told))
        if alert.escalated_at is None:
            try:
                outbound.alerts.save(replace(alert, escalated_at=wake.at))
            except WriteConflictError:
                return  # somebody takes note just now: the next run looks again
    outbound.wakes.done(wake)
