"""Line 10: a thousand events at once, of one customer and of fifty, and what DynamoDB bills."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from bench.metering import Meter
from bench.portfolio import record
from bench.report import Line
from bench.timing import Comparison, compared
from bench.workbench import Context, Workbench, embedded, opened

import rest
from vitals.runtime.settings import settings
from vitals.storage.table import Table

BATCH = 1000
NAMES = ("login", "report_exported", "dashboard_viewed", "invite_sent", "api_call")
USERS = 40
RUNS = 7


def line() -> list[Line]:
    """Return what an event costs in time, over reading its JSON, and in write units."""
    with embedded(), opened(Table(settings().table_name)) as desk:
        return [_line(desk, customers, named) for customers in (1, 50) for named in (True, False)]


def _line(desk: Workbench, customers: int, named: bool) -> Line:
    ids = [
        desk.send("upsert_account", record(number + 1000 * customers + 100_000 * named))["data"][
            "id"
        ]
        for number in range(customers)
    ]
    batches = iter(range(10**6))

    def sent() -> None:
        desk.hands.sleep(1)
        answer = rest.handler(
            desk.request("POST", "/v1/events", _batch(desk, ids, named)), Context()
        )
        counted = json.loads(answer["body"])
        if counted.get("accepted") != BATCH or counted["duplicates"]:
            raise AssertionError(counted)
        next(batches)

    sent()
    with Meter(desk.client).running() as calls:
        sent()
    text = json.dumps(_batch(desk, ids, named))
    comparison: Comparison = compared(sent, lambda: json.loads(text), RUNS, 1)
    ours, floor = comparison.per(BATCH)
    # The rate limit's counter and the log of requests are two of its units.
    writes = sum(call.writes for call in calls)
    whose = "one customer" if customers == 1 else f"{customers} customers"
    with_ids = "with ids" if named else "without ids"
    return Line(
        what=f"10. 1,000 events of {whose} at once, {with_ids}, each",
        measured=f"{ours * 1e6:,.0f} µs ({1 / ours:,.0f} events/s of CPU)",
        floor=f"{floor * 1e6:,.1f} µs: its JSON read",
        ratio=comparison.ratio,
        target="",
        calls=f"{len(calls) / BATCH:.3f}",
        reads=f"{sum(call.reads for call in calls) / BATCH:.3f}",
        writes=f"{writes / BATCH:.3f}",
    )


def _batch(desk: Workbench, ids: list[str], named: bool) -> dict[str, Any]:
    now = desk.hands.now.astimezone(UTC)
    return {
        "events": [
            {
                "customer_id": ids[number % len(ids)],
                "user_email": f"user{number % USERS}@client.example",
                "event_name": NAMES[number % len(NAMES)],
                "timestamp": _iso(now),
                "properties": {"plan": "pro", "seats": number % 7},
                **({"external_id": f"{now.timestamp()}-{number}"} if named else {}),
            }
            for number in range(BATCH)
        ]
    }


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
