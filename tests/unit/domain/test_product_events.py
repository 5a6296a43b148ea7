"""Product events: what a ledger counts is what an oracle counts of the events themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import ID, NOW, a_customer, a_model, a_moment, with_signals
from tests.unit.domain.product_event_oracle import oracle

from vitals.domain import product_events
from vitals.domain.computed import AGGREGATES, OF_PROPERTY, Computed
from vitals.domain.computed_signals import computed, outcome, reading
from vitals.domain.customer import Customer, Received
from vitals.domain.instants import local_day
from vitals.domain.product_events import Ledger, ProductEvent, ledger_of, user_digest
from vitals.storage import codec

NAMES = ("login", "export", "invite")
USERS = ("ann@acme.example", "bob@acme.example", None)
ZONES = st.sampled_from([UTC, ZoneInfo("Europe/Stockholm"), ZoneInfo("America/Los_Angeles")])
# Around the day that summer time begins, and its midnights.
INSTANTS = st.integers(-100 * 24 * 4, 2 * 24 * 4).map(
    lambda quarters: datetime(2026, 4, 2, 12, tzinfo=UTC) + timedelta(minutes=15 * quarters)
)
AMOUNTS = st.one_of(
    st.integers(-100, 100),
    st.decimals(-100, 100, places=2).map(lambda each: Decimal(str(float(each)))),
    st.sampled_from(["mild", "strong", True, None]),
)
EVENTS = st.builds(
    ProductEvent,
    name=st.sampled_from(NAMES),
    at=INSTANTS,
    user_email=st.sampled_from(USERS),
    user_id=st.sampled_from(["7", None]),
    properties=st.dictionaries(st.sampled_from(["amount", "seats"]), AMOUNTS),
)
DEFINITIONS = st.builds(
    lambda aggregate, window, events, name: Computed(
        aggregate, window, tuple(events), name if aggregate in OF_PROPERTY else None
    ),
    st.sampled_from(AGGREGATES),
    st.integers(1, 90),
    st.lists(st.sampled_from(NAMES), unique=True, max_size=2),
    st.sampled_from(["amount", "seats"]),
)


def counted(events: Sequence[ProductEvent], where: tzinfo = UTC) -> dict[date, Ledger]:
    """Count *events* as storage does: each in the ledger of its day, written and read again."""
    ledgers: dict[date, Ledger] = {}
    for event in events:
        day = local_day(event.at, where)
        ledger = ledgers.get(day, Ledger())
        user = None if event.user is None else user_digest(ID, event.user)
        assert ledger.count(event, user, ("amount", "seats")) == ""
        text = codec.encode(ledger.document)
        assert len(text.encode()) <= ledger.size
        ledgers[day] = ledger_of(codec.decode(text))
    return ledgers


@given(st.lists(EVENTS, max_size=30), DEFINITIONS, ZONES)
@settings(max_examples=150)
def test_a_definition_gives_what_the_events_themselves_say(
    events: list[ProductEvent], definition: Computed, where: tzinfo
) -> None:
    today = date(2026, 4, 2)
    found = reading(definition, counted(events, where), today)
    seen, value = oracle(definition, events, today, where)
    assert found.seen == seen
    is_sum = isinstance(found.value, int | Decimal) and definition.aggregate == "sum"
    exact = Fraction(str(found.value)) if is_sum else found.value
    assert exact == value


@given(st.lists(EVENTS, max_size=12), DEFINITIONS, st.randoms())
@settings(max_examples=60)
def test_the_order_in_which_events_come_does_not_matter(
    events: list[ProductEvent], definition: Computed, chance: Any
) -> None:
    """But to the last of one instant, of which there is none here."""
    apart = [
        ProductEvent(
            name=each.name, at=each.at + timedelta(seconds=number), user_email=each.user_email,
            properties=each.properties,
        )
        for number, each in enumerate(events)
    ]  # fmt: skip
    today = date(2026, 4, 2)
    before = reading(definition, counted(apart), today)
    chance.shuffle(apart)
    assert reading(definition, counted(apart), today) == before


@given(st.lists(EVENTS, min_size=1, max_size=10), DEFINITIONS)
@settings(max_examples=60)
def test_a_window_slides_to_nothing(events: list[ProductEvent], definition: Computed) -> None:
    ledgers = counted(events)
    over = max(ledgers) + timedelta(days=definition.window_days)
    found = reading(definition, ledgers, over)
    assert found.value == (None if definition.aggregate == "last" else 0)


def test_sums_are_exact_whatever_their_order() -> None:
    amounts = [Decimal("0.1"), 10**15, Decimal("1e-16"), -(10**15), Decimal("0.2")]
    for given_ in (amounts, amounts[::-1]):
        events = [ProductEvent(name="paid", at=NOW, properties={"amount": a}) for a in given_]
        found = reading(Computed("sum", 1, (), "amount"), counted(events), NOW.date())
        assert found.value == Decimal("0.3000000000000001")


def test_who_is_named_by_address_and_who_by_id_are_two() -> None:
    same = ProductEvent(name="login", at=NOW, user_email="7")
    other = ProductEvent(name="login", at=NOW, user_id="7")
    found = reading(Computed("distinct_users", 1), counted([same, other, same]), NOW.date())
    assert found.value == 2


def test_the_same_user_has_another_digest_with_another_customer() -> None:
    assert user_digest("a", "e:ann") != user_digest("b", "e:ann")


def full(users: int, names: int) -> Ledger:
    ledger = Ledger()
    for number in range(max(users, names)):
        event = ProductEvent(name=f"event {number % names}", at=NOW)
        user = (number % users).to_bytes(8) if users else None
        assert ledger.count(event, user, ()) == ""
    return ledger


def test_no_more_names_and_users_are_counted_on_a_day() -> None:
    ledger = full(20_000, 40)
    for number in range(160):
        assert ledger.count(ProductEvent(name=f"rare {number}", at=NOW), None, ()) == ""
    known = ProductEvent(name="event 0", at=NOW)
    assert ledger.count(ProductEvent(name="one more", at=NOW), None, ()) == "too_many_names"
    assert ledger.count(known, b"somebody", ()) == "too_many_users"
    assert ledger.count(known, (7).to_bytes(8), ()) == ""
    assert (len(ledger.tallies), len(ledger.users)) == (200, 20_000)
    assert len(codec.encode(ledger.document)) <= ledger.size


def test_a_ledger_is_never_larger_than_an_item_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_events, "LARGEST_LEDGER", 3000)
    ledger = Ledger()
    codes = [
        ledger.count(
            ProductEvent(name="login", at=NOW, properties={"amount": "ö" * 50}),
            number.to_bytes(8),
            ("amount",),
        )
        for number in range(500)
    ]
    first = codes.index("day_full")
    assert set(codes[first:]) == {"day_full"}
    assert ledger.tallies["login"].count == first
    assert len(codec.encode(ledger.document).encode()) <= 3000


@pytest.mark.parametrize("strange", ["a" * 201, "\n", "", [1], {"a": 1}, True, None, 10**16])
def test_what_is_no_value_of_a_signal_is_not_kept(strange: object) -> None:
    event = ProductEvent(name="paid", at=NOW, properties={"amount": strange})
    [ledger] = counted([event]).values()
    assert ledger.tallies["paid"].kept == {}


LOGINS = Computed("count", 30, ("login",))


def signal(**given_: Any) -> dict[str, Any]:
    definition = {"aggregate": "count", "events": ["login"], "window_days": 30}
    return with_signals(logins={"computed": definition, **given_})


def after(customer: Customer, events: int, **given_: Any) -> Customer:
    """Return *customer* as computing leaves it after so many logins today."""
    model = a_model(signals=signal(**given_))
    ledgers = counted([ProductEvent(name="login", at=NOW)] * events)
    return computed(customer, model, ledgers, a_moment(), ("login",) if events else ())


def test_nothing_is_computed_before_the_first_event() -> None:
    customer = a_customer()
    assert after(customer, 0) is customer


def test_a_computed_value_goes_to_nought_not_to_nothing() -> None:
    computed_once = after(a_customer(), 3)
    assert computed_once.signals == {"logins": 3}
    assert computed_once.received["logins"] == Received(NOW, "events")
    assert after(computed_once, 0).signals == {"logins": 0}


def test_what_was_pushed_by_hand_is_never_overwritten() -> None:
    pushed = a_customer(signals={"logins": 8}, received={"logins": Received(NOW, "CRM sync")})
    assert after(pushed, 3) is pushed
    assert outcome(pushed, a_model(signals=signal()).by_name["logins"],
                   counted([ProductEvent(name="login", at=NOW)]), NOW.date()
                   ).held_back == "pushed_by_hand"  # fmt: skip


def test_what_was_cleared_by_hand_is_computed_again() -> None:
    cleared = a_customer(received={"logins": Received(NOW, "CRM sync")})
    assert after(cleared, 3).signals == {"logins": 3}


def test_computing_that_owns_a_signal_takes_it_from_whoever_pushed_it() -> None:
    pushed = a_customer(signals={"logins": 8}, received={"logins": Received(NOW, "CRM sync")})
    taken = after(pushed, 3, owner="events")
    assert (taken.signals["logins"], taken.received["logins"].source) == (3, "events")


@pytest.mark.parametrize(
    ("given_", "sent", "reason"),
    [
        ({"maximum": 2}, 3, "out_of_range"),
        ({"computed": {"aggregate": "last", "property": "plan", "window_days": 30}}, "gold",
         "not_a_number"),
        ({"curve": {"type": "choice", "options": {"mild": 1}},
          "computed": {"aggregate": "last", "property": "plan", "window_days": 30}}, "gold",
         "not_an_option"),
    ],
)  # fmt: skip
def test_a_value_that_the_model_refuses_is_held_back(
    given_: dict[str, Any], sent: object, reason: str
) -> None:
    model = a_model(signals=signal(**given_))
    events = [ProductEvent(name="login", at=NOW, properties={"plan": sent})] * 3
    ledgers: dict[date, Ledger] = {NOW.date(): Ledger()}
    for event in events:
        ledgers[NOW.date()].count(event, None, ("plan",))
    before = a_customer(signals={"logins": 1}, received={"logins": Received(NOW, "events")})
    cleared = computed(before, model, ledgers, a_moment())
    # What stood for other events would be stale.
    assert cleared.signals == {}
    for each in (before, cleared):
        found = outcome(each, model.by_name["logins"], ledgers, NOW.date())
        assert (found.held_back, found.value) == (reason, sent)
    assert computed(cleared, model, ledgers, a_moment()) is cleared


def test_a_value_that_falls_below_its_minimum_is_cleared_and_computed_again() -> None:
    once = after(a_customer(), 3, minimum=1)
    cleared = after(once, 0, minimum=1)
    assert (once.signals, cleared.signals) == ({"logins": 3}, {})
    assert after(cleared, 2, minimum=1).signals == {"logins": 2}


def test_a_value_pushed_by_hand_stays_whatever_events_would_make_of_it() -> None:
    pushed = a_customer(signals={"logins": 8}, received={"logins": Received(NOW, "CRM sync")})
    for given_ in ({"maximum": 2}, {"maximum": 2, "owner": "events"}, {"computed": None}):
        assert after(pushed, 3, **given_) is pushed


def test_a_computed_value_without_a_definition_is_cleared() -> None:
    once = after(a_customer(signals={"nps": 3}), 3)
    cleared = after(once, 3, computed=None)
    assert (once.signals, cleared.signals) == ({"nps": 3, "logins": 3}, {"nps": 3})


def test_a_word_is_taken_as_the_option_that_it_spells() -> None:
    definition = {"aggregate": "last", "property": "trend", "window_days": 2}
    model = a_model(signals=with_signals(growth={"computed": definition}))
    ledger = Ledger()
    ledger.count(
        ProductEvent(name="review", at=NOW, properties={"trend": "Strong"}), None, ["trend"]
    )
    first = computed(a_customer(), model, {NOW.date(): ledger}, a_moment())
    assert first.signals == {"growth": "strong"}
    later = a_moment(NOW + timedelta(days=2))
    assert computed(first, model, {NOW.date(): ledger}, later).signals == {}


def test_a_signal_is_fresh_once_a_day_however_often_its_events_come() -> None:
    first = after(a_customer(), 3)
    ledgers = counted([ProductEvent(name="login", at=NOW)] * 3)
    model = a_model(signals=signal())
    same_day = a_moment(NOW + timedelta(hours=11))
    assert computed(first, model, ledgers, same_day, ("login",)) is first
    next_day = a_moment(NOW + timedelta(hours=13))
    assert computed(first, model, ledgers, next_day) is first
    moved = computed(first, model, ledgers, next_day, ("login",))
    assert (moved.signals, moved.received["logins"].at) == (first.signals, next_day.now)


def test_a_document_of_a_ledger_is_plain_json() -> None:
    [ledger] = counted([ProductEvent(name="login", at=NOW, user_id="7")]).values()
    assert ledger_of(json.loads(json.dumps(ledger.document))).document == ledger.document
