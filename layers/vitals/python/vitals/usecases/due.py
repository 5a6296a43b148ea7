"""What is due: summaries, escalations, and deliveries whose next attempt has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from vitals.domain.alert import OPEN
from vitals.domain.notice import alert_digest, alert_escalated
from vitals.domain.rule import Rule
from vitals.domain.schedule import DAILY, WEEKLY
from vitals.storage.ports import StorageBusyError, WriteConflictError
from vitals.storage.reaction_ports import DELIVERY, DIGEST, Wake
from vitals.usecases.context import Context
from vitals.usecases.rulebook import Rulebook, rulebook
from vitals.usecases.telling import deliveries_of


def go_on(context_of: Callable[[str], Context | None], due: Iterable[Wake]) -> dict[str, int]:
    """Go on with all that is *due*, and return how much of each kind there was.

    *context_of* gives a tenant's context, None for one that is gone. Doing it again changes
    nothing. What fails is due again at the next run, and stops nothing else.
    """
    counts: dict[str, int] = {}
    for wake in due:
        context = context_of(wake.tenant_id)
        if context is None:
            continue
        if not context.has_time():
            break
        try:
            _go_on(context, wake)
        except StorageBusyError:
            continue
        except Exception as error:  # noqa: BLE001 - one tenant's fault must not stop the others
            context.report(error)
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
    lines = outbound.alerts.lines(tenant_id, box, until)
    if rule is not None and lines:
        reason = about.partition("+")[0] if about else _reason(rule)
        event = alert_digest(rule, reason, lines, wake.at)
        outbound.deliveries.add(deliveries_of(context, event, _receivers(book, rule, manager)))
    outbound.alerts.empty(tenant_id, box, until)
    outbound.wakes.done(wake)


def _reason(rule: Rule) -> str:
    return WEEKLY if rule.schedule.kind == WEEKLY else DAILY


def _receivers(book: Rulebook, rule: Rule, manager: str) -> tuple[str, ...]:
    return book.reachable(book.managers.get(manager, ()) if manager else rule.connections)


def _escalate(context: Context, wake: Wake) -> None:
    """Tell those above of a critical alert that nobody took note of in time (PLUS-18)."""
    outbound, tenant_id = context.outbound, context.tenant.id
    alert = outbound.alerts.get(tenant_id, wake.key)
    unseen = alert is not None and alert.state == OPEN and alert.acknowledged_at is None
    if alert is not None and unseen and not alert.is_snoozed(context.now):
        book = rulebook(context)
        rule = book.rule(alert.rule_id)
        receivers = book.reachable(rule.escalate_to) if rule else ()
        event = alert_escalated(alert, wake.at)
        outbound.deliveries.add(deliveries_of(context, event, receivers))
        if alert.escalated_at is None:
            try:
                outbound.alerts.save(replace(alert, escalated_at=wake.at))
            except WriteConflictError:
                return  # somebody takes note just now: the next run looks again
    outbound.wakes.done(wake)
