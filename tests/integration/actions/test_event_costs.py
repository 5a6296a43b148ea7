"""What a batch of events costs is bounded, and is what docs/data-model.md says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bench.metering import Call, Meter
from tests.builders import NOW
from tests.integration.actions.api import Api
from tests.integration.actions.ingesting import Answer, Product, an_event

from vitals.domain import product_events
from vitals.storage import events as storage
from vitals.usecases import event_pages

DOCUMENT = Path(__file__).parents[3] / "docs" / "data-model.md"
ROW = re.compile(r"^\| (.+?) \| (\d+) \| (\d+(?:\.\d)?) \| (\d+) \|$", re.MULTILINE)


@pytest.fixture
def product(api: Api) -> Product:
    return Product(api)


def batch(customer: str, days: int, count: int = 1000, start: int = 0) -> list[Answer]:
    """Return a batch of events as an integration sends them, spread over some days."""
    return [
        an_event(
            customer,
            ("login", "export", "invite", "report_viewed")[number % 4],
            timestamp=NOW - timedelta(days=number % days, seconds=number),
            user_email=f"user{number % 25}@acme.example",
            properties={"plan": "pro", "seats": number % 9},
            external_id=f"evt-{number:06d}",
        )
        for number in range(start, start + count)
    ]


def metered(product: Product, events: list[Answer]) -> list[Call]:
    with Meter(product.api.table.connection.client).running() as calls:
        assert product.ingest(events)["accepted"] == len(events)
    # The tenant is read by the test's own context, as it is once in half a minute.
    return calls[1:]


def commits(calls: list[Call]) -> list[list[Any]]:
    return [call.asked["TransactItems"] for call in calls if "TransactItems" in call.asked]


def chunks(items: list[Any]) -> int:
    return sum(each.get("Put", {}).get("Item", {}).get("SK", {}).get("S", "").startswith("A#")
               for each in items)  # fmt: skip


CASES = {
    "1,000 events of one customer on one day": (1, 1000, 0),
    "1,000 events of one customer on 30 days": (30, 1000, 0),
    "one event of a customer": (1, 1, 0),
    "1,000 more of the same customer on the same day": (1, 1000, 1000),
    "those 1,000 sent again": (1, 1000, 1000),
}


def measured(product: Product) -> Iterator[tuple[str, int, float, int]]:
    acme = ""
    for what, (days, count, start) in CASES.items():
        if not start:
            acme = product.api.upsert(what)["id"]
        if "more" in what:
            product.ingest(batch(acme, 1))
        calls = metered(product, batch(acme, days, count, start))
        items = [len(each) for each in commits(calls)]
        assert len(items) == (0 if "again" in what else 1)
        assert all(
            n <= 2 * days + chunks(c) + 3 for n, c in zip(items, commits(calls), strict=True)
        )
        reads, writes = sum(call.reads for call in calls), sum(call.writes for call in calls)
        yield what, sum(items), reads, int(writes)


def test_a_batch_of_one_customer_costs_what_is_documented(product: Product) -> None:
    """Two items a day, its chunks and three more: in one transaction."""
    section = DOCUMENT.read_text().partition("## What events cost")[2]
    documented = [
        (what, int(items), float(reads), int(writes))
        for what, items, reads, writes in ROW.findall(section)
    ]
    rows = list(measured(product))
    assert rows == documented


def test_a_batch_that_no_transaction_takes_is_stored_in_several(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = product.api.upsert("Acme")["id"]
    monkeypatch.setattr(event_pages, "LARGEST_COMMIT", 10_000)
    monkeypatch.setattr(storage, "LARGEST_CHUNK", 3_000)
    events = batch(acme, 3, 200)
    found = commits(metered(product, events))
    assert len(found) > 2
    assert all(len(each) <= 2 * 3 + chunks(each) + 3 for each in found)
    assert sum(product.counted(acme).values()) == 200
    assert len(product.listed(limit=200)) == 200
    assert product.customer(acme).signals["logins"] == 75


def test_days_whose_ledgers_are_too_large_together_are_stored_apart(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = product.api.upsert("Acme")["id"]
    monkeypatch.setattr(event_pages, "LARGEST_LEDGERS", 500)
    assert len(commits(metered(product, batch(acme, 3, 30)))) > 1
    assert sum(product.counted(acme).values()) == 30


def test_the_largest_events_there_are_fit(product: Product) -> None:
    """Events of eight kilobytes that cannot be packed, over thirty days: 2.4 MB."""
    acme, chance = product.api.upsert("Acme")["id"], iter(range(10**9))

    def noise() -> str:
        return "".join(product_events.mark("x", str(next(chance))) for _ in range(650))

    events = [
        an_event(acme, f"event {n % 150}", timestamp=NOW - timedelta(days=n % 30), user_id=str(n),
                 properties={"noise": noise()}, external_id=str(n))
        for n in range(300)
    ]  # fmt: skip
    assert product.ingest(events)["rejected"] == 0
    assert sum(product.counted(acme).values()) == 300


def test_what_there_is_no_room_for_is_refused_event_by_event(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = product.api.upsert("Acme")["id"]
    with monkeypatch.context() as little:
        little.setattr(product_events, "MAX_NAMES", 2)
        little.setattr(product_events, "MAX_USERS", 3)
        answer = product.ingest(batch(acme, 1, 12))
    found = {(error["index"], error["code"]) for error in answer["errors"]}
    assert found == {
        *((n, "too_many_names") for n in (2, 3, 6, 7, 10, 11)),
        *((n, "too_many_users") for n in (5, 8, 9)),
    }
    # What was refused is not known: it is taken where there is room.
    again = product.ingest(batch(acme, 1, 12))
    assert (again["accepted"], again["duplicates"]) == (12, 3)
    assert sum(product.counted(acme).values()) == 12


def test_marks_of_a_day_are_kept_in_segments(product: Product) -> None:
    acme = product.api.upsert("Acme")["id"]
    for start in range(0, 1500, 300):
        product.ingest(batch(acme, 1, 300, start))
    segments = [item for sort, item in product.items(acme).items() if sort.startswith("S#")]
    sizes = [len(item["doc"]) // 12 for item in segments]
    assert (sum(sizes), sizes) == (1500, [600, 600, 300])
    assert product.ingest(batch(acme, 1, 1000, 0))["duplicates"] == 1000
