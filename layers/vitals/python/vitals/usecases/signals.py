"""list_signals: what is known of a customer, by whom, and what events say of it (PE-016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vitals.domain.computed import DEFAULTS, EVENTS
from vitals.domain.computed_signals import Ledgers, outcome, reading
from vitals.domain.customer import Customer
from vitals.domain.instants import iso
from vitals.domain.model import CONTACT, Signal
from vitals.domain.patch import Moment
from vitals.usecases.computing import book_of, moment_of
from vitals.usecases.context import Answer, Context
from vitals.usecases.find import require_live
from vitals.usecases.inputs import Reference, read

ACTION = "list_signals"
BESIDE = ("active_days", "active_users")
"""What is told of every customer, whether or not the model scores by it."""


def list_signals(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return every signal of a customer: its value, whence it is, and what events make of it.

    Raises CustomerNotFoundError.
    """
    parsed, warnings, _ = read(Reference, given)
    customer = require_live(context, parsed)
    model = context.model_for(customer)
    moment = moment_of(context, model)
    ledgers = book_of(context, customer.id, moment).ledgers
    rows = [_shown(customer, signal, ledgers, moment) for signal in model.signals]
    rows += [_beside(name, ledgers, moment) for name in BESIDE if name not in model.by_name]
    data = {
        "customer_id": customer.id,
        "events_until": customer.events_until.isoformat() if customer.events_until else None,
        "signals": rows,
    }
    return {"action": ACTION, "data": data, "warnings": warnings}


def _shown(customer: Customer, signal: Signal, ledgers: Ledgers, moment: Moment) -> Answer:
    name = signal.name
    value = customer.values(moment.today).get(name)
    source = customer.received.get(name) if value is not None else None
    found = outcome(customer, signal, ledgers, moment.today)
    return {
        "name": name,
        "dimension": signal.dimension,
        "value": value,
        "source": _source(name, value, source.source if source else None),
        "by": source.source if source is not None and source.source != EVENTS else None,
        "received_at": iso(source.at) if source is not None else None,
        "owner": signal.owner,
        "in_model": True,
        "definition": signal.computed.document if signal.computed is not None else None,
        "computed_value": found.value,
        "held_back": {"reason": found.held_back} if found.held_back is not None else None,
    }


def _source(name: str, value: object, source: str | None) -> str | None:
    if value is None:
        return None
    if name == CONTACT:
        return "contact"
    return EVENTS if source == EVENTS else "pushed"


def _beside(name: str, ledgers: Ledgers, moment: Moment) -> Answer:
    definition = DEFAULTS[name]
    found = reading(definition, ledgers, moment.today)
    return {
        "name": name,
        "dimension": None,
        "value": None,
        "source": None,
        "by": None,
        "received_at": None,
        "owner": None,
        "in_model": False,
        "definition": definition.document,
        "computed_value": found.value if found.seen else None,
        "held_back": None,
    }
