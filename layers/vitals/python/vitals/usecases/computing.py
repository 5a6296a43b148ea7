"""Computing signals anew from what is counted of a customer's product events."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from vitals.domain.computed_signals import KNOWN_DAYS, computed
from vitals.domain.customer import Customer
from vitals.domain.instants import local_day, zone
from vitals.domain.model import ScoringModel
from vitals.domain.patch import Moment
from vitals.storage.event_ports import Book
from vitals.usecases.context import Context


def moment_of(context: Context, model: ScoringModel) -> Moment:
    """Return when this request does something, by the day of *model*'s time zone."""
    return replace(context.moment, where=zone(model.time_zone))


def book_of(
    context: Context, customer_id: str, moment: Moment, marks: frozenset[str] = frozenset()
) -> Book:
    """Return what is counted of a customer's events, as far as any window reaches: 1 query."""
    since = moment.today - timedelta(days=KNOWN_DAYS)
    return context.events.book(context.tenant, customer_id, since, moment.now, marks)


def computed_now(context: Context, customer: Customer) -> tuple[Customer, int | None]:
    """Return *customer* with its computed signals as of now, and the version of its events.

    The version guards the write of what was computed of it. A customer that never had an event
    costs nothing, has no version, and is returned as it is, as is one whose signals stand still.
    """
    model = context.model_for(customer)
    if customer.events_until is None or not model.computed:
        return customer, None
    moment = moment_of(context, model)
    book = book_of(context, customer.id, moment)
    return computed(customer, model, book.ledgers, moment), book.version


def recalculated(context: Context, customer: Customer) -> Customer:
    """Return *customer* with its computed signals as of now: 1 query if it ever had an event."""
    return computed_now(context, customer)[0]


def slides(context: Context, customer: Customer) -> bool:
    """Tell whether the passing of a day may move a computed signal of *customer*'s: no read.

    Its latest event is within the longest window, or fell out of it as the day turned, or a
    signal still holds what may have been computed.
    """
    until = customer.events_until
    if until is None:
        return False
    signals = context.model_for(customer).computed
    windows = [signal.computed.window_days for signal in signals if signal.computed is not None]
    if not windows:
        return False
    model = context.model_for(customer)
    today = local_day(context.now, zone(model.time_zone))
    if today - until <= timedelta(days=max(windows)):
        return True
    return any(customer.signals.get(signal.name) not in (None, 0) for signal in signals)
