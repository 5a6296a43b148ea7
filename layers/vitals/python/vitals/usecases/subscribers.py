"""Subscribers: which events follow from a write, a day or a model, and who wants each."""

from __future__ import annotations

from typing import Any

from vitals.domain import events
from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.documents import differences
from vitals.domain.edges import Fired
from vitals.domain.events import Event
from vitals.domain.model_document import DEFAULT_MODEL
from vitals.domain.rule import CADENCE, NO_CONTACT, RENEWAL, WINDOW_NAMES, WINDOWS, Rule, Trigger
from vitals.domain.standing import Standing
from vitals.domain.view import customer_view
from vitals.usecases.context import Context
from vitals.usecases.rulebook import Rulebook
from vitals.usecases.telling import deliveries_of

RENEWAL_EVENT, CONTACT_EVENT = "event_renewal", "event_contact"
EVENTS_OF_TIME = (RENEWAL_EVENT, CONTACT_EVENT)
"""The ids of rules that nobody wrote: what subscriptions to events of time look for."""


def react_to_model(context: Context, book: Rulebook, version: int) -> None:
    """Tell subscribers of a new *version* of the model."""
    made = next(context.tenants.models(context.tenant.id, before=version + 1, page=1), None)
    if made is None or made.version != version or version == 1:
        return
    at = made.at or context.now
    wanted = [each.id for each in book.subscribed(events.MODEL_CHANGED) if each.created_at <= at]
    if not wanted:
        return
    older = context.tenants.model_document(context.tenant.id, version - 1, consistent=True) or {}
    event = events.model_changed(
        context.tenant.id,
        version,
        at=at,
        by=made.by or "",
        action=made.action or "",
        note=made.note,
        changed=differences({**DEFAULT_MODEL, **older}, {**DEFAULT_MODEL, **made.document}),
    )
    context.outbound.deliveries.add(deliveries_of(context, event, wanted))


def tell_change(
    context: Context,
    book: Rulebook,
    before: Customer | None,
    after: Customer,
    change: Change | None,
) -> None:
    """Tell subscribers of a write: each event that follows from it, once."""
    if change is None or not book.subscriptions:
        return
    standing = Standing(after, context.model_of(after.model_version), change.at, stored=True)
    view = _view(standing)
    for event in events.change_events(context.tenant.id, before, after, change, view):
        _tell(context, book, event, standing)


def tell_time(context: Context, book: Rulebook, fired: Fired) -> None:
    """Tell subscribers of a renewal that comes near, or of a contact that is overdue."""
    standing = _whole(context, fired.after)
    customer, view = standing.customer, _view(standing)
    if fired.rule.id == CONTACT_EVENT:
        event = events.contact_overdue(
            context.tenant.id, customer.id, view, standing.contacted, standing.at
        )
    elif customer.renewal_date is None:
        return
    else:
        name, _ = fired.trigger.level(standing)
        windows = dict(zip(WINDOW_NAMES, standing.model.renewal_windows, strict=True))
        event = events.renewal_approaching(
            context.tenant.id,
            customer.id,
            view,
            window_days=windows[name][0],
            renewal_date=customer.renewal_date,
            at=standing.at,
        )
    _tell(context, book, event, standing)


def _whole(context: Context, standing: Standing) -> Standing:
    """Return *standing* with what the index does not hold of its customer, if nobody wrote it."""
    stored = context.customers.get(context.tenant, standing.customer.id)
    if stored is None or stored.version != standing.customer.version:
        return standing
    return Standing(stored, standing.model, standing.at)


def _tell(context: Context, book: Rulebook, event: Event, standing: Standing) -> None:
    wanted = told_of(book, event.type, standing)
    context.outbound.deliveries.add(deliveries_of(context, event, wanted))


def told_of(book: Rulebook, kind: str, standing: Standing) -> list[str]:
    """Return the ids of the subscriptions to events of *kind*, of such a customer, since then."""
    found = []
    for each in book.subscribed(kind):
        condition = book.filters.get(each.id)
        # What happened before anybody subscribed is not told.
        since = standing.at >= each.created_at
        if since and (condition is None or condition.holds(standing)):
            found.append(each.id)
    return found


def _view(standing: Standing) -> dict[str, Any]:
    """Return the customer as answers show it, without what its share of a portfolio decides."""
    view = customer_view(standing.customer, standing.model, standing.at, standing.where, 0)
    return {name: value for name, value in view.items() if not name.startswith("priority")}


def looked_for(context: Context, book: Rulebook) -> tuple[Rule, ...]:
    """Return what subscriptions to events of time look for."""
    return tuple(
        Rule(
            id=rule_id,
            tenant_id=context.tenant.id,
            name=kind,
            triggers=(trigger,),
            enabled_at=context.tenant.created_at,
        )
        for rule_id, kind, trigger in (
            (RENEWAL_EVENT, events.RENEWAL_APPROACHING, Trigger(RENEWAL, WINDOWS)),
            (CONTACT_EVENT, events.CONTACT_OVERDUE, Trigger(NO_CONTACT, CADENCE)),
        )
        if book.subscribed(kind)
    )
