"""A minute's worth of events, every batch sent twice: none lost, none counted twice (LU-073)."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import Cloud, ended_at_last

BATCHES, SIZE = 60, 1000
CUSTOMERS, WRITERS = 30, 4
NAMES = ("login", "report_exported", "invite_sent", "purchase")
LIMITS = {f"VITALS_LIMIT_{name}": "1000000" for name in ("EVENTS", "BATCHES", "READS")}
SIGNALS: dict[str, Any] = {
    "exports": {"aggregate": "count", "events": ["report_exported"], "window_days": 90},
    "all_events": {"aggregate": "count", "window_days": 90},
    "people": {"aggregate": "distinct_users", "window_days": 90},
    "days_in_use": {"aggregate": "distinct_days", "window_days": 90},
    "spent": {"aggregate": "sum", "property": "amount", "events": ["purchase"], "window_days": 90},
}
Event = dict[str, Any]


@pytest.fixture
def minute(tmp_path: Path) -> Iterator[Cloud]:
    """A local cloud that takes the same minute twice in one."""
    with ended_at_last(Cloud(tmp_path / "data-folder", environ=LIMITS)) as cloud:
        cloud.start()
        yield cloud


def ask(cloud: Cloud, method: str, path: str, body: object = None, **headers: str) -> Any:
    given = {"authorization": f"Bearer {cloud.key}", "content-type": "application/json"}
    sent = None if body is None else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = cloud.request(method, path, sent, given | named)
    assert reply.status < 300, reply.body[:500]
    return reply.json()


def batches(ids: list[str], now: datetime) -> list[list[Event]]:
    """Return a minute's batches; those of odd numbers have no ids, and count by their key."""
    draw = random.Random(20261120)  # noqa: S311 - nothing is to be kept secret
    found: list[list[Event]] = []
    for number in range(BATCHES):
        some = draw.sample(ids, 6)
        events = []
        for index in range(SIZE):
            at = now - timedelta(seconds=draw.randrange(29 * 86_400))
            name = draw.choice(NAMES)
            event: Event = {
                "customer_id": draw.choice(some),
                "event_name": name,
                "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "user_email": f"user{draw.randrange(25)}@client.example",
            }
            if name == "purchase":
                event["properties"] = {"amount": draw.randrange(1, 500) / 4}
            if number % 2 == 0:
                event["external_id"] = f"{number}-{index}"
            events.append(event)
        found.append(events)
    return found


def counted(events: list[Event]) -> dict[str, float]:
    """Return what the signals of one customer should be, counted one by one."""
    return {
        "exports": sum(each["event_name"] == "report_exported" for each in events),
        "all_events": len(events),
        "people": len({each["user_email"] for each in events}),
        "days_in_use": len({each["timestamp"][:10] for each in events}),
        "spent": sum(each.get("properties", {}).get("amount", 0) for each in events),
    }


def test_sixty_thousand_events_sent_twice_are_counted_once(minute: Cloud) -> None:
    linear = {"type": "linear", "zero": 0, "full": 100}
    signals = {
        name: {"weight": 0, "dimension": "usage", "curve": linear, "computed": definition}
        for name, definition in SIGNALS.items()
    }
    ask(minute, "PATCH", "/v1/health/model", {"signals": signals, "rescore": False})
    ids = [
        ask(minute, "POST", "/v1/customers", {"name": f"Customer {number}"})["id"]
        for number in range(CUSTOMERS)
    ]
    sent = batches(ids, datetime.now(UTC))
    known: dict[int, list[int]] = defaultdict(list)
    ended: set[int] = set()
    repeated: set[int] = set()

    def send(number: int) -> None:
        if number in ended:
            repeated.add(number)
        key = {"Idempotency_Key": f"batch-{number}"} if number % 2 else {}
        answer = ask(minute, "POST", "/v1/events", {"events": sent[number]}, **key)
        ended.add(number)
        assert (answer["accepted"], answer["errors"]) == (SIZE, [])
        known[number].append(answer["duplicates"])

    twice = [*range(BATCHES), *range(BATCHES)]
    random.Random(7).shuffle(twice)  # noqa: S311 - as above
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(send, twice))
    for number, (first, second) in sorted(known.items()):
        if number % 2 and number in repeated:
            # The key's first answer was given again, which knows of no duplicate.
            assert (first, second) == (0, 0)
        else:
            # Its events were known by their marks; both may be sent at once.
            assert first + second in ({0, SIZE} if number % 2 else {SIZE})
    assert len(repeated) > BATCHES // 2

    of_customer: dict[str, list[Event]] = defaultdict(list)
    for event in (event for batch in sent for event in batch):
        of_customer[event["customer_id"]].append(event)
    for customer_id in ids:
        told = ask(minute, "GET", f"/v1/signals/{customer_id}")["signals"]
        values = {each["name"]: each["value"] for each in told if each["name"] in SIGNALS}
        assert values == counted(of_customer[customer_id])
    listed = 0
    cursor = ""
    while True:
        page = ask(minute, "GET", f"/v1/events?limit=200&customer_id={ids[0]}{cursor}")
        listed += len(page["data"])
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert listed == len(of_customer[ids[0]]), "each is stored once as well"
