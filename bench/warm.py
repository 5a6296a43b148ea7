"""Lines 2 and 10: warm reads and writes by both APIs, over the bare botocore calls they make.

The floor sends the same words through a client as anybody makes it, in the same process. DynamoDB
is replayed from memory by another process, so that its speed weighs on neither.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import botocore.session
from bench.breakdown import Spent, watched
from bench.dynamodb_stub import Exchange, recording, replaying
from bench.metering import Call, Meter
from bench.portfolio import record
from bench.replay import overheard, sending
from bench.report import Line
from bench.timing import Comparison, compared
from bench.workbench import Context, Workbench, attached, embedded, opened

import actions
import rest
from vitals.runtime.settings import settings
from vitals.storage.table import Table

_ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
Event = Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """A read and a write of one API: the line that they are, and what the ratio should be."""

    line: int
    most: float
    events: Callable[[Workbench, str], dict[str, Event]]
    """By what they are called, of the customer with that id."""


def _acted(desk: Workbench, customer_id: str) -> dict[str, Event]:
    return {
        "get_customer": desk.event("get_customer", {"id": customer_id}),
        "upsert_account": desk.event("upsert_account", {"id": customer_id, "logins": 29}),
    }


def _requested(desk: Workbench, customer_id: str) -> dict[str, Event]:
    path, sent = f"/v1/customers/{customer_id}", {"signals": {"logins": 29}}
    return {
        "GET /v1/customers/{id}": desk.request("GET", path),
        "PATCH /v1/customers/{id}": desk.request("PATCH", path, sent),
    }


ACTIONS = Pair(2, 1.25, _acted)
REST = Pair(10, 1.5, _requested)


def line(
    pair: Pair = ACTIONS, runs: int = 100, repeats: int = 10
) -> tuple[list[Line], dict[str, Spent]]:
    """Return what the two cost, and where the CPU of each goes, in seconds."""
    lines, breakdowns = [], {}
    with embedded() as aws, opened(_table()) as desk:
        calls = {name: _metered(desk, event) for name, event in _events(desk, pair, 1).items()}
        events = _events(desk, pair, 2)
        exchanges = _recorded(desk, list(events.values()), aws[_ENDPOINT])
        with replaying(exchanges) as url, _elsewhere(desk, url) as client:
            bare = botocore.session.get_session().create_client("dynamodb")
            for name, event in events.items():
                comparison = _compared(client, bare, event, runs, repeats)
                lines.append(_line(pair, name, comparison, calls[name]))
                breakdowns[name] = _broken_down(event, runs * repeats)
    return lines, breakdowns


def _events(desk: Workbench, pair: Pair, number: int) -> dict[str, Event]:
    """Return a read and a write, by id, of customer *number*, which is new."""
    return pair.events(desk, desk.send("upsert_account", record(number))["data"]["id"])


def _table() -> Table:
    return Table(settings().table_name)


def _answer(event: Event) -> None:
    function = rest if event["rawPath"].startswith("/v1/") else actions
    answer = function.handler(event, Context())
    if answer["statusCode"] != 200:
        raise AssertionError(answer["body"])


def _metered(desk: Workbench, event: Event) -> Sequence[Call]:
    with Meter(desk.client).running() as calls:
        _answer(event)
    return calls


@contextmanager
def _elsewhere(desk: Workbench, url: str) -> Iterator[Any]:
    """Have the functions work on the table at *url*; yield the client that they do it by."""
    table = _table()
    with patch.dict(os.environ, {_ENDPOINT: url}), attached(table, desk.hands):
        yield table.connection.client


def _recorded(desk: Workbench, events: Sequence[Event], url: str) -> list[Exchange]:
    """Return what the table answers *events*, and what a start reads before them."""
    with recording(url) as (between, exchanges), _elsewhere(desk, between):
        for event in events:
            _answer(event)
    return exchanges


def _compared(client: Any, bare: Any, event: Event, runs: int, repeats: int) -> Comparison:
    _answer(event)
    with overheard(client) as asked:
        _answer(event)
    return compared(lambda: _answer(event), sending(bare, asked), runs, repeats)


def _line(pair: Pair, name: str, comparison: Comparison, calls: Sequence[Call]) -> Line:
    ours, floor = comparison.per(1)
    return Line(
        what=f"{pair.line}. Warm `{name}` by id",
        measured=f"{ours * 1e6:,.0f} µs",
        floor=f"{floor * 1e6:,.0f} µs: bare calls",
        ratio=comparison.ratio,
        target=f"≤ {pair.most}",
        calls=str(len(calls)),
        reads=f"{sum(call.reads for call in calls):g}",
        writes=f"{sum(call.writes for call in calls):g}",
    )


def _broken_down(event: Event, count: int) -> Spent:
    """Return the seconds that each part of one answer takes."""
    with watched() as spent:
        for _ in range(count):
            _answer(event)
    return {label: seconds / count for label, seconds in spent.items() if seconds}
