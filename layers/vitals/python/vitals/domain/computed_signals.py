"""Computed signals: what a customer's ledgers make of a model's definitions, as of a day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from vitals.domain.computed import COUNT, DAYS, EVENTS, LAST, SUM, USER_DAYS, USERS, Computed
from vitals.domain.curves import Value
from vitals.domain.customer import Customer, Received
from vitals.domain.instants import local_day
from vitals.domain.model import ScoringModel, Signal
from vitals.domain.numbers import parse_number
from vitals.domain.patch import Moment
from vitals.domain.product_events import Kept, Ledger, Tally, total_of
from vitals.domain.spelling import meant

Ledgers = Mapping[date, Ledger]

PUSHED = "pushed_by_hand"
OUT_OF_RANGE, NOT_A_NUMBER, NOT_AN_OPTION = "out_of_range", "not_a_number", "not_an_option"
KNOWN_DAYS = 90
"""Whether there was an event at all is looked for so many days back."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a definition gives: *seen* tells whether anything of the last 90 days counts at all."""

    seen: bool
    value: Value | None


def reading(definition: Computed, ledgers: Ledgers, today: date) -> Reading:
    """Return what *definition* gives as of *today*: nothing is 0, and no last value is None.

    Users count where an event names one, a property where an event has it. Days after *today*
    count when they have come.
    """
    oldest = today - timedelta(days=KNOWN_DAYS - 1)
    first = today - timedelta(days=definition.window_days - 1)
    known = {day: each for day, each in ledgers.items() if oldest <= day <= today}
    matches = _MATCHES[definition.aggregate]
    seen = any(matches(definition, ledger) for ledger in known.values())
    inside = [known[day] for day in sorted(known) if day >= first]
    return Reading(seen, _AGGREGATES[definition.aggregate](definition, inside))


def computed(
    customer: Customer,
    model: ScoringModel,
    ledgers: Ledgers,
    moment: Moment,
    arrived: Collection[str] = (),
) -> Customer:
    """Return *customer* with its computed signals as of *moment*; the same object if none moves.

    What was pushed by hand stays, but where computing owns the signal. What was computed goes with
    its definition, and where the model refuses what events make of it now (AMB-56): what they made
    of it before would be stale. An override stays. *arrived* are names of events that came just
    now: once a day they say that a signal that did not move is fresh.
    """
    today, where = moment.today, moment.where
    defined = {signal.name for signal in model.computed}
    signals = {
        name: value
        for name, value in customer.signals.items()
        if name in defined or not _is_ours(customer, name)
    }
    received = dict(customer.received)
    for signal in model.computed:
        found = outcome(customer, signal, ledgers, today)
        name, source = signal.name, customer.received.get(signal.name)
        if found.clears:
            signals.pop(name, None)
        if not found.is_taken or found.value is None:
            continue
        moved = customer.signals.get(name) != found.value or not _is_ours(customer, name)
        came = signal.computed is not None and any(map(signal.computed.counts, arrived))
        stale = source is None or local_day(source.at, where) != today
        signals[name] = found.value
        if moved or (came and stale):
            received[name] = Received(moment.now, EVENTS)
    if signals == customer.signals and received == customer.received:
        return customer
    return replace(customer, signals=signals, received=received)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What computing makes of a signal: its *value*, and why it is *held_back*.

    It is taken if there is something to set; it *clears* what was computed and stands no longer.
    """

    value: Value | None
    is_taken: bool
    held_back: str | None = None
    clears: bool = False


def outcome(customer: Customer, signal: Signal, ledgers: Ledgers, today: date) -> Outcome:
    """Return what computing makes of *signal*, which has a definition, as of *today*."""
    definition = signal.computed
    if definition is None:
        return Outcome(None, is_taken=False)
    found = reading(definition, ledgers, today)
    name = signal.name
    has, ours = name in customer.signals, _is_ours(customer, name)
    if not found.seen and not (has and ours):
        return Outcome(None, is_taken=False)
    value, refused = _fit(signal, found.value)
    if has and not ours and signal.owner != EVENTS:
        return Outcome(value, is_taken=False, held_back=PUSHED)
    if refused is not None:
        return Outcome(value, is_taken=False, held_back=refused, clears=ours)
    return Outcome(value, is_taken=value is not None, clears=value is None)


def _is_ours(customer: Customer, name: str) -> bool:
    source = customer.received.get(name)
    return source is not None and source.source == EVENTS


def _fit(signal: Signal, value: Value | None) -> tuple[Value | None, str | None]:
    """Return *value* as *signal* spells it, and why it cannot have it (AMB-56)."""
    if value is None:
        return None, None
    if signal.options is not None:
        option = meant(value, signal.options) if isinstance(value, str) else None
        return (value, NOT_AN_OPTION) if option is None else (option, None)
    if isinstance(value, str):
        return value, NOT_A_NUMBER
    try:
        number = parse_number(value)
    except ValueError:
        return None, OUT_OF_RANGE
    low = signal.minimum is not None and number < signal.minimum
    high = signal.maximum is not None and number > signal.maximum
    return number, OUT_OF_RANGE if low or high else None


def _tallies(definition: Computed, ledger: Ledger) -> Iterator[Tally]:
    return (tally for name, tally in ledger.tallies.items() if definition.counts(name))


def _kept(definition: Computed, ledger: Ledger) -> Iterator[Kept]:
    for tally in _tallies(definition, ledger):
        kept = tally.kept.get(definition.property_name or "")
        if kept is not None:
            yield kept


def _mask(definition: Computed, ledger: Ledger) -> int:
    mask = 0
    for tally in _tallies(definition, ledger):
        mask |= tally.mask
    return mask


def _happened(definition: Computed, ledger: Ledger) -> bool:
    return any(True for _ in _tallies(definition, ledger))


def _is_somebodys(definition: Computed, ledger: Ledger) -> bool:
    return _mask(definition, ledger) > 0


def _has_number(definition: Computed, ledger: Ledger) -> bool:
    return any(kept.total is not None for kept in _kept(definition, ledger))


def _has_value(definition: Computed, ledger: Ledger) -> bool:
    return any(True for _ in _kept(definition, ledger))


_MATCHES: Mapping[str, Callable[[Computed, Ledger], bool]] = {
    COUNT: _happened,
    DAYS: _happened,
    USERS: _is_somebodys,
    USER_DAYS: _is_somebodys,
    SUM: _has_number,
    LAST: _has_value,
}


def _count(definition: Computed, days: list[Ledger]) -> Value:
    return sum(tally.count for day in days for tally in _tallies(definition, day))


def _days(definition: Computed, days: list[Ledger]) -> Value:
    return sum(_happened(definition, day) for day in days)


def _user_days(definition: Computed, days: list[Ledger]) -> Value:
    return sum(_mask(definition, day).bit_count() for day in days)


def _users(definition: Computed, days: list[Ledger]) -> Value:
    known: set[bytes] = set()
    for day in days:
        # Bytes: to shift a number of 20,000 bits by each of its places takes long.
        mask = _mask(definition, day).to_bytes(len(day.users) // 8 + 1, "little")
        known.update(u for u, place in day.users.items() if mask[place >> 3] >> (place & 7) & 1)
    return len(known)


def _total(definition: Computed, days: list[Ledger]) -> Value:
    found = (kept.total for day in days for kept in _kept(definition, day))
    return total_of(total for total in found if total is not None)


def _last(definition: Computed, days: list[Ledger]) -> Value | None:
    last: Kept | None = None
    for day in days:
        for kept in _kept(definition, day):
            if last is None or kept.last_at >= last.last_at:
                last = kept
    return None if last is None else last.last


_AGGREGATES: Mapping[str, Callable[[Computed, list[Ledger]], Value | None]] = {
    COUNT: _count,
    DAYS: _days,
    USERS: _users,
    USER_DAYS: _user_days,
    SUM: _total,
    LAST: _last,
}
