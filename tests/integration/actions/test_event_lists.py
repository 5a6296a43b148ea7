"""Events as they are asked for again: filtered, by pages, as long as they are kept (LU-052)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api
from tests.integration.actions.ingesting import Answer, Product, an_event

from vitals.domain.errors import InvalidCursorError, ValidationError
from vitals.domain.instants import iso
from vitals.storage import events as storage
from vitals.usecases import list_events as listing
from vitals.usecases.list_events import list_events


@pytest.fixture(params=[1, 4])
def product(api: Api, request: pytest.FixtureRequest) -> Product:
    """Two customers' events, of several arrivals and in several chunks, under so many shards."""
    return Product(api.another_tenant(shards=request.param))


@pytest.fixture
def sent(product: Product, monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    """What was sent, the last first."""
    monkeypatch.setattr(storage, "LARGEST_CHUNK", 300)
    monkeypatch.setattr(listing, "AT_ONCE", 2)
    ids = [product.api.upsert(name)["id"] for name in ("Acme", "Bolt")]
    everything: list[Answer] = []
    for number in range(4):
        product.api.later(seconds=1)
        batch = [
            an_event(
                ids[number % 2],
                name,
                timestamp=NOW - timedelta(days=number, hours=hours),
                user_email="Ann@acme.example",
                properties={"amount": 1.5, "number": number},
                external_id=f"{name}-{number}-{hours}",
            )
            for hours in range(3)
            for name in ("login", "export")
        ]
        assert product.ingest(batch)["accepted"] == 6
        everything += batch
    return everything[::-1]


def names(events: list[Answer]) -> list[str]:
    return [event["external_id"] for event in events]


def test_events_come_back_as_they_were_sent_newest_arrival_first(
    product: Product, sent: list[Answer]
) -> None:
    found = product.listed(limit=200)
    assert names(found) == names(sent)
    first = found[0]
    assert {name: first[name] for name in sent[0]} == {
        **sent[0], "user_email": "ann@acme.example"
    }  # fmt: skip
    assert first["received_at"] == iso(product.api.clock.now)
    assert len({event["id"] for event in found}) == len(sent)


TWO_DAYS_AGO = iso(NOW - timedelta(days=2))
FILTERS: list[tuple[dict[str, Any], Callable[[Answer], bool]]] = [
    ({"event_name": "login"}, lambda e: e["event_name"] == "login"),
    ({"event_name": ["login", "other"]}, lambda e: e["event_name"] == "login"),
    ({"event_name": "Login"}, lambda _: False),
    ({"from": TWO_DAYS_AGO}, lambda e: e["timestamp"] >= TWO_DAYS_AGO),
    ({"to": iso(NOW - timedelta(days=2, hours=1)), "event_name": "export"},
     lambda e: e["timestamp"] <= iso(NOW - timedelta(days=2, hours=1))
     and e["event_name"] == "export"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "wanted"), FILTERS)
def test_filters_pages_and_customers_go_together(
    product: Product, sent: list[Answer], asked: dict[str, Any], wanted: Callable[[Answer], bool]
) -> None:
    expected = [event for event in sent if wanted(event)]
    for limit in (1, 5, 200):
        assert names(product.listed(**asked, limit=limit)) == names(expected)
    for customer in {event["customer_id"] for event in sent}:
        own = [event for event in expected if event["customer_id"] == customer]
        assert names(product.listed(**asked, customer_id=customer, limit=2)) == names(own)


@pytest.mark.parametrize("own", [True, False])
def test_a_cursor_holds_while_events_come(
    product: Product, sent: list[Answer], *, own: bool
) -> None:
    asked = {"limit": 4, **({"customer_id": sent[0]["customer_id"]} if own else {})}
    expected = [e for e in sent if not own or e["customer_id"] == sent[0]["customer_id"]]
    found: list[Answer] = []
    cursor: dict[str, Any] = {}
    while True:
        page = list_events(product.context(), {**asked, **cursor})
        found += page["data"]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
        product.api.later(seconds=1)
        product.ingest([an_event(sent[0]["customer_id"], "latecomer")])
    assert names(found) == names(expected)


def test_a_cursor_belongs_to_its_query_and_to_whoever_asks(
    product: Product, sent: list[Answer]
) -> None:
    cursor = list_events(product.context(), {"limit": 1})["next_cursor"]
    with pytest.raises(InvalidCursorError):
        list_events(product.context(), {"cursor": cursor, "event_name": "login"})
    with pytest.raises(InvalidCursorError):
        list_events(product.context(), {"cursor": cursor[:-2]})
    stranger = Product(product.api.another_tenant())
    assert list_events(stranger.context(), {"cursor": cursor})["data"] == []
    assert stranger.listed(customer_id=sent[0]["customer_id"]) == []


def test_a_page_ends_when_the_time_does_and_goes_on_from_there(
    product: Product, sent: list[Answer]
) -> None:
    product.seconds = 1
    page = list_events(product.context(), {"event_name": "other"})
    assert (page["data"], page["has_more"]) == ([], True)
    assert names(product.listed(limit=200)) == names(sent)


def test_events_are_kept_as_long_as_the_model_says(product: Product) -> None:
    acme = product.api.upsert("Acme")["id"]
    product.api.post("update_config", {"event_days": 3, "rescore": False})
    product.ingest([an_event(acme, "short")])
    product.api.later(seconds=1)
    product.api.post("update_config", {"event_days": 400, "rescore": False})
    product.ingest([an_event(acme, "long")])
    for days, left in ((2, ["long", "short"]), (1, ["long"]), (396, ["long"]), (1, [])):
        product.api.later(days=days)
        assert [event["event_name"] for event in product.listed()] == left
        assert [event["event_name"] for event in product.listed(customer_id=acme)] == left


@pytest.mark.parametrize("asked", [{"limit": 201}, {"event_name": ","}, {"from": "then"}])
def test_what_makes_no_sense_is_refused(product: Product, asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        list_events(product.context(), asked)


@pytest.mark.parametrize("asked", ["Order placed, paid", ["Order placed", " paid"]])
def test_a_name_with_a_comma_is_found_however_the_filter_was_split(
    product: Product, asked: object
) -> None:
    acme = product.api.upsert("Acme")["id"]
    product.ingest([an_event(acme, name) for name in ("Order placed, paid", "paid", "other")])
    for only in ({}, {"customer_id": acme}):
        found = product.listed(event_name=asked, **only)
        assert {event["event_name"] for event in found} == {"Order placed, paid", "paid"}
