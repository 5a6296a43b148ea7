"""Every event is counted once, whatever is lost on the way and whoever sends it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api
from tests.integration.actions.ingesting import Answer, Product, an_event, days_of
from tests.integration.faults.wire import (
    AFTER,
    BEFORE,
    CONFLICT,
    CRASH,
    THROTTLED,
    TIMEOUT,
    Crash,
    Fault,
    Wire,
    call_number,
)

from vitals.storage.ports import StorageBusyError

AT = {BEFORE: (THROTTLED, CONFLICT, CRASH), AFTER: (TIMEOUT, CRASH)}
PATIENCE = 50


def by_chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - a play, not a secret


def batch_of(customers: list[str], count: int, chance: Random, **more: Any) -> list[Answer]:
    """Return a batch of events of some days, of some users."""
    return [
        an_event(
            chance.choice(customers),
            chance.choice(["login", "export"]),
            timestamp=NOW - timedelta(days=chance.randrange(3), seconds=number),
            user_id=str(chance.randrange(4)),
            **{name: each(number) for name, each in more.items()},
        )
        for number in range(count)
    ]


def hits(product: Product, wire: Wire, batch: list[Answer], key: str | None) -> Iterator[Any]:
    """Yield every call that sending *batch* makes, with what befalls it."""
    with wire.tapped():
        product.ingest(batch, key)
        calls = len(wire.calls)
    for number in range(1, calls + 1):
        for moment, faults in AT.items():
            for fault in faults:
                yield number, moment, fault


def insisted(product: Product, batch: list[Answer], key: str | None) -> Answer:
    """Send until all of it is stored, as a client does that has a key."""
    for _ in range(PATIENCE):
        try:
            answer = product.ingest(batch, key)
        except (Crash, StorageBusyError):
            continue
        if not any(error["code"] in ("busy", "not_attempted") for error in answer["errors"]):
            return answer
    raise AssertionError("it is never done")


def expected(batch: list[Answer], customer: str) -> Counter[Any]:
    rows = zip(days_of(batch), batch, strict=True)
    return Counter((day, e["event_name"]) for day, e in rows if e["customer_id"] == customer)


def users_of(batch: list[Answer], customer: str) -> int:
    rows = zip(days_of(batch), batch, strict=True)
    return len({(day, e["user_id"]) for day, e in rows if e["customer_id"] == customer})


def assert_counted(product: Product, batch: list[Answer], customers: list[str]) -> None:
    """Each event of *batch* is counted, kept and scored once."""
    for each in customers:
        assert product.counted(each) == expected(batch, each)
        assert product.customer(each).signals["logins"] == users_of(batch, each)
    kept = Counter((e["customer_id"], e["event_name"], e["timestamp"]) for e in product.listed())
    assert kept == Counter((e["customer_id"], e["event_name"], e["timestamp"]) for e in batch)


def two(product: Product) -> list[str]:
    return [product.api.upsert(name)["id"] for name in ("Acme", "Bolt")]


@pytest.mark.parametrize("known", ["by external_id", "by its place under the key"])
def test_whatever_call_is_lost_each_event_is_counted_once(
    api: Api, impatient: Wire, known: str
) -> None:
    def sent(product: Product) -> tuple[list[str], list[Answer]]:
        customers = two(product)
        more = {"external_id": lambda n: f"e-{n}"} if known == "by external_id" else {}
        return customers, batch_of(customers, 6, by_chance(1), **more)

    first = Product(api.another_tenant())
    key = None if known == "by external_id" else "k"
    for number, moment, fault in hits(first, impatient, sent(first)[1], key):
        product = Product(api.another_tenant())
        customers, batch = sent(product)
        with impatient.failing(call_number(number, fault), moment):
            try:
                product.ingest(batch, key)
            except (Crash, StorageBusyError):
                assert fault is CRASH or number <= 5, "only what is read first may fail all"
        insisted(product, batch, key)
        insisted(product, batch, key)
        assert_counted(product, batch, customers)


@pytest.mark.parametrize("identified", [True, False])
@pytest.mark.parametrize("fault", [TIMEOUT, CONFLICT, THROTTLED], ids=lambda each: each.name)
def test_a_commit_whose_answer_is_lost_is_counted_once_and_told_as_it_was(
    api: Api, impatient: Wire, fault: Fault, *, identified: bool
) -> None:
    """The commit's own id tells a try that the one before it was stored."""
    product = Product(api)
    [acme, _] = two(product)
    more = {"external_id": lambda n: f"e-{n}"} if identified else {}
    batch = batch_of([acme], 5, by_chance(1), **more)
    moment = AFTER if fault is TIMEOUT else BEFORE
    lost: list[str] = []

    def plan(sent: Any) -> Fault | None:
        # Neither the commit's answer arrives, nor that of the question whether it is stored.
        is_commit = sent.operation == "TransactWriteItems"
        is_question = bool(lost) and sent.operation == "GetItem" and len(lost) < 2
        if (not lost and is_commit) or is_question:
            lost.append(sent.operation)
            return fault if is_commit else THROTTLED
        return None

    with impatient.failing(plan, moment):
        answer = product.ingest(batch)
    assert len(lost) == 2
    assert (answer["accepted"], answer["duplicates"], answer["errors"]) == (5, 0, [])
    assert_counted(product, batch, [acme])


def test_a_table_that_never_answers_leaves_nothing_said_to_be_stored(
    api: Api, impatient: Wire
) -> None:
    product = Product(api)
    [acme, _] = two(product)

    def plan(sent: Any) -> Fault | None:
        return THROTTLED if sent.operation == "TransactWriteItems" else None

    with impatient.failing(plan):
        answer = product.ingest([an_event(acme)] * 2)
    assert [error["code"] for error in answer["errors"]] == ["busy", "busy"]
    assert product.items(acme) == {}


@pytest.mark.parametrize("shards", [1, 4])
def test_many_who_write_at_once_lose_and_double_nothing(api: Api, shards: int) -> None:
    """Every batch is sent twice, by two of eight senders at once."""
    product = Product(api.another_tenant(shards=shards))
    customers, chance = two(product), by_chance(7)
    batches = [
        batch_of(customers, 20, chance, external_id=lambda n, b=b: f"{b}-{n}") for b in range(8)
    ]
    sent = [*batches, *batches]
    chance.shuffle(sent)
    with ThreadPoolExecutor(max_workers=8) as senders:
        answers = list(senders.map(lambda batch: insisted(replace(product), batch, None), sent))
    assert sum(answer["accepted"] for answer in answers) == 2 * 160
    everything = [event for batch in batches for event in batch]
    assert_counted(product, everything, customers)


def test_a_customer_that_is_written_meanwhile_keeps_both(api: Api) -> None:
    """A push and a batch at once: neither overwrites the other (AMB-60)."""
    product = Product(api)
    [acme, _] = two(product)
    with ThreadPoolExecutor(max_workers=4) as senders:
        for number in range(12):
            senders.submit(api.upsert, "Acme", adoption=number + 1, mrr=number)
            event = an_event(acme, user_id=str(number), external_id=str(number))
            senders.submit(insisted, replace(product), [event], None)
    found = product.customer(acme)
    assert found.signals["logins"] == 12
    assert found.signals["adoption"] in range(1, 13)
    changes = api.get("get_history", id=acme, limit=100).data
    assert len(changes) == found.version
