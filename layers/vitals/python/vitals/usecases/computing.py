"""Computing signals anew from what is counted of a customer's product events."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from vitals.domain.computed_signals import KNOWN_DAYS, computed
from vitals.domain.customer import Customer
from vitals.domain.instants import local_day, zone
from vitals.domain.model import ScoringModel
from vitals.domain.patch import Moment
from vitals.storage.event_ports import Book
from vitals.usecases.context import Context

LINGERS = timedelta(days=KNOWN_DAYS + 31)
"""So long after its latest event may a customer hold a computed value that no night has moved:
the longest window, and a month of nights that failed, or that it spent in the trash."""


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
    if customer.events_until is None:
        return customer, None
    moment = moment_of(context, model)
    if not model.computed:
        # No events are needed to clear what was computed under a model before.
        return computed(customer, model, {}, moment), None
    book = book_of(context, customer.id, moment)
    return computed(customer, model, book.ledgers, moment), book.version


def slides(context: Context, customer: Customer, since: datetime) -> bool:
    """Tell whether the days since *since* may have moved a computed signal: no read.

    Its latest event was within the longest window then, or a signal holds what may have been
    computed. Who pushed a value is not in the roster: such a value is looked at for `LINGERS`, and
    never after.
    """
    until = customer.events_until
    if until is None:
        return False
    newest = context.model_for(customer)
    # A definition that is gone since the customer was last scored may have left a value.
    models = {each.version: each for each in (newest, context.model_of(customer.model_version))}
    signals = [signal for model in models.values() for signal in model.computed]
    windows = [signal.computed.window_days for signal in signals if signal.computed is not None]
    if not windows:
        return False
    age = local_day(since, zone(newest.time_zone)) - until
    if age < timedelta(days=max(windows)):
        return True
    held = any(customer.signals.get(signal.name) not in (None, 0) for signal in signals)
    return held and age < LINGERS
