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
from vitals.usecases.computing import recalculated
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
    after = recalculated(product.context(), before)
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
