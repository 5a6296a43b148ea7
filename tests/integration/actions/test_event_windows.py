"""Windows slide as days pass, and a new definition takes what was counted before it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api
from tests.integration.actions.ingesting import Product, an_event
from tests.integration.actions.test_decay import born, causes, turn

from vitals.runtime.wiring import wiring
from vitals.storage.events import EventTable
from vitals.usecases.computing import computed_now
from vitals.usecases.write import published


@pytest.fixture(params=[1, 4])
def product(api: Api, request: pytest.FixtureRequest) -> Product:
    return Product(born(api.another_tenant(shards=request.param)))


def some_days(product: Product, customer: str, *days: int) -> None:
    """Send an event of one user of each of some days ago."""
    events = [
        an_event(customer, user_id="1", timestamp=product.api.clock.now - timedelta(days=ago))
        for ago in days
    ]
    assert product.ingest(events)["rejected"] == 0


def test_a_value_falls_night_by_night_until_nothing_is_left(product: Product) -> None:
    acme = product.api.upsert("Acme", adoption=100)["id"]
    some_days(product, acme, 28, 2, 0)
    found = []
    for days in (1, 1, 26, 1, 1, 1):
        turn(product.api, days=days)
        stored = product.customer(acme)
        found.append(stored.signals["logins"])
        # Whoever slid is in the day's figures as it then stands.
        day = product.api.clock.now.date()
        scores = wiring().snapshots.scores(product.api.tenant.id, day)
        assert scores == {acme: stored.score}
    assert found == [3, 2, 1, 1, 0, 0]
    assert product.customer(acme).received["logins"].source == "events"
    newest, *_ = causes(product.api, "Acme")
    assert newest[0] == "decay"


def test_a_night_on_which_no_window_moves_writes_nothing(product: Product) -> None:
    acme = product.api.upsert("Acme")["id"]
    some_days(product, acme, 0)
    before = product.customer(acme)
    turn(product.api, days=1)
    assert product.customer(acme) == before


def test_customers_without_events_are_not_asked_for_any(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    product.api.upsert("Acme", logins=3)

    def book(*_: Any) -> None:
        raise AssertionError("nobody asked for it")

    monkeypatch.setattr(EventTable, "book", book)
    turn(product.api, days=1)
    product.api.job("rescore_all")


def test_what_is_pushed_by_hand_does_not_slide(product: Product) -> None:
    acme = product.api.upsert("Acme", logins=12)["id"]
    some_days(product, acme, 29)
    turn(product.api, days=10)
    assert product.customer(acme).signals["logins"] == 12


def test_a_new_definition_takes_what_was_counted_before_it(product: Product) -> None:
    acme = product.api.upsert("Acme", adoption=100)["id"]
    product.ingest([an_event(acme, "export", timestamp=NOW - timedelta(days=3))] * 4)
    seats = {
        "weight": 0,
        "curve": {"type": "linear", "zero": 0, "full": 10},
        "computed": {"aggregate": "count", "events": ["export"], "window_days": 7},
    }
    product.api.job("update_config", {"signals": {"exports": seats}})
    found = product.customer(acme)
    assert (found.signals["exports"], found.cause) == (4, "model")


def test_a_sum_is_counted_from_when_a_definition_names_its_property(product: Product) -> None:
    acme = product.api.upsert("Acme")["id"]
    paid = an_event(acme, "paid", properties={"amount": 2.5})
    product.ingest([paid])
    revenue = {
        "weight": 0,
        "curve": {"type": "linear", "zero": 0, "full": 10},
        "computed": {"aggregate": "sum", "property": "amount", "window_days": 7},
    }
    product.api.job("update_config", {"signals": {"revenue": revenue}})
    assert "revenue" not in product.customer(acme).signals
    product.api.restart()
    product.ingest([paid, paid])
    assert product.customer(acme).signals["revenue"] == 5


def test_recalculating_slides_at_once(product: Product) -> None:
    acme = product.api.upsert("Acme")["id"]
    some_days(product, acme, 1, 0)
    product.api.later(days=29)
    before = product.customer(acme)
    after, _ = computed_now(product.context(), before)
    assert (before.signals["logins"], after.signals["logins"]) == (2, 1)


def test_what_comes_while_a_night_computes_is_not_lost(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger that was read must still be the ledger when what follows of it is written."""
    acme = product.api.upsert("Acme")["id"]
    some_days(product, acme, 29)
    product.api.later(days=1)
    # Its value stands still: a user of today comes for the one of thirty days ago.
    place = "vitals.usecases.rescore.published"

    def late(*given: Any) -> Any:
        monkeypatch.setattr(place, published)
        found = published(*given)
        some_days(product, acme, 0)
        return found

    monkeypatch.setattr(place, late)
    turn(product.api)
    assert product.customer(acme).signals["logins"] == 1


def test_an_alert_of_time_is_raised_for_whoever_slides_too(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = product.api.upsert("Acme")["id"]
    some_days(product, acme, 0)
    told: list[str] = []
    monkeypatch.setattr(
        "vitals.usecases.decay.react_to_time",
        lambda *given: told.append(given[3].id),
    )
    turn(product.api, days=1)
    assert told == [acme]


SEATS: dict[str, Any] = {"weight": 0, "curve": {"type": "linear", "zero": 0, "full": 10}}


@pytest.mark.parametrize("others", [True, False])
def test_a_definition_that_is_removed_takes_its_values_with_it_but_none_pushed_by_hand(
    product: Product, *, others: bool
) -> None:
    api = product.api
    definition = {"aggregate": "count", "window_days": 7}
    model = {"signals": {"seats": {**SEATS, "computed": definition}}}
    if not others:
        model["signals"]["logins"] = {"computed": None}
    api.job("update_config", model)
    acme, bolt = api.upsert("Acme")["id"], api.upsert("Bolt", signals={"seats": 5})["id"]
    for each in (acme, bolt):
        some_days(product, each, 0)
    assert product.customer(acme).signals["seats"] == 1
    api.restart()
    api.job("update_config", {"signals": {"seats": {"computed": None}}})
    assert "seats" not in product.customer(acme).signals
    assert product.customer(acme).cause == "model"
    assert product.customer(bolt).signals["seats"] == 5
    # And nothing is left to do, that night or ever.
    before = product.customer(acme)
    api.restart()
    api.job("rescore_all")
    assert product.customer(acme).version == before.version


def test_a_model_without_definitions_asks_for_no_events(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = product.api.upsert("Acme")["id"]
    some_days(product, acme, 0)

    def book(*_: Any) -> None:
        raise AssertionError("nobody asked for it")

    monkeypatch.setattr(EventTable, "book", book)
    product.api.job("update_config", {"signals": {"logins": {"computed": None}}})
    assert "logins" not in product.customer(acme).signals


def test_a_removed_definition_is_noticed_at_night_when_nobody_rescored(product: Product) -> None:
    acme = product.api.upsert("Acme")["id"]
    some_days(product, acme, 0)
    given = {"signals": {"logins": {"computed": None}}, "rescore": False}
    assert product.api.post("update_config", given).status == 200
    product.api.restart()
    turn(product.api, days=1)
    assert "logins" not in product.customer(acme).signals


def test_a_value_that_falls_below_its_minimum_is_cleared_that_night(product: Product) -> None:
    definition = {"aggregate": "count", "window_days": 7}
    seats = {**SEATS, "minimum": 1, "computed": definition}
    product.api.job("update_config", {"signals": {"seats": seats}})
    acme = product.api.upsert("Acme")["id"]
    some_days(product, acme, 0)
    turn(product.api, days=6)
    assert product.customer(acme).signals["seats"] == 1
    turn(product.api, days=1)
    shown = product.signals(acme)["seats"]
    assert (shown["value"], shown["computed_value"]) == (None, 0)
    assert shown["held_back"] == {"reason": "out_of_range"}


def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the customers whose events are asked for from now on."""
    found: list[str] = []
    real = EventTable.book

    def book(self: EventTable, tenant: Any, customer_id: str, *more: Any) -> Any:
        found.append(customer_id)
        return real(self, tenant, customer_id, *more)

    monkeypatch.setattr(EventTable, "book", book)
    return found


def test_a_value_pushed_by_hand_costs_no_query_for_ever(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever pushed a value is not in the roster: it is looked for, but not for ever."""
    acme = product.api.upsert("Acme", logins=12)["id"]
    some_days(product, acme, 0)
    found = asked(monkeypatch)
    for days, queries in ((1, [acme]), (119, [acme]), (1, [acme]), (1, []), (100, [])):
        found.clear()
        turn(product.api, days=days)
        assert found == queries, (days, found)
    assert product.customer(acme).signals["logins"] == 12


@pytest.mark.parametrize("days", [30, 365])
def test_a_value_goes_to_nought_however_late_the_night_comes_and_costs_nothing_after(
    product: Product, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """A schedule that stood still for a year catches up in one night."""
    acme = product.api.upsert("Acme")["id"]
    some_days(product, acme, 0)
    turn(product.api, days=days)
    assert product.customer(acme).signals["logins"] == 0
    found = asked(monkeypatch)
    turn(product.api, days=1)
    assert found == []


def test_a_value_that_was_too_large_is_computed_on_the_day_on_which_it_fits(
    product: Product,
) -> None:
    definition = {"aggregate": "count", "window_days": 40}
    seats = {**SEATS, "maximum": 2, "computed": definition}
    product.api.job("update_config", {"signals": {"seats": seats}})
    acme = product.api.upsert("Acme")["id"]
    some_days(product, acme, 0, 0, 0)
    turn(product.api, days=39)
    assert "seats" not in product.customer(acme).signals
    turn(product.api, days=1)
    assert product.customer(acme).signals["seats"] == 0


def test_a_customer_that_was_in_the_trash_as_its_window_slid_follows_when_it_is_back(
    product: Product,
) -> None:
    acme = product.api.upsert("Acme")["id"]
    some_days(product, acme, 0)
    turn(product.api, days=29)
    product.api.post("delete_customer", {"id": acme})
    for _ in range(29):
        turn(product.api, days=1)
    product.api.post("restore_customer", {"id": acme})
    turn(product.api, days=1)
    assert product.customer(acme).signals["logins"] == 0
