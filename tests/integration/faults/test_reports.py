"""Report schedules when calls to the table fail: each occurrence is sent once, and none is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api, Clock, an_api
from tests.integration.actions.outside import Outside
from tests.integration.faults.wire import (
    AFTER,
    BEFORE,
    CRASH,
    THROTTLED,
    UNAVAILABLE,
    Crash,
    Wire,
    call_number,
)
from tests.integration.faults.wire import Sent as WireSent

import reports
from vitals.domain.instants import iso
from vitals.storage.ports import StorageBusyError
from vitals.storage.table import Table

Plan = Callable[[], AbstractContextManager[Wire]]
STAGES = ("start", "make", "look")
"""A look at what became of it follows: nothing, if all is well."""
AT = {BEFORE: [CRASH, THROTTLED], AFTER: [CRASH, UNAVAILABLE]}


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    played = Outside()
    monkeypatch.setattr("vitals.runtime.outbound.JobSender", played.report_sender)
    monkeypatch.setattr("vitals.runtime.outbound.BucketFiles", played.bucket)
    return played


@pytest.fixture
def api(table: Table, hands: Clock, outside: Outside) -> Api:  # noqa: ARG001 - played before the function starts
    return an_api(table, hands)


@dataclass
class Book:
    """Tenants that are all alike, each for one try of one stage."""

    api: Api
    outside: Outside
    wire: Wire

    def live(self, stage: str, plan: Plan) -> tuple[Counter[str], dict[int, WireSent]]:
        """Have one occurrence come, *stage* as planned; return what is stored, and its calls."""
        self.api.clock.now = NOW
        api = self.api.another_tenant()
        api.upsert("Acme", mrr=100, nps=1)
        daily = {"type": "daily", "at": "13:00"}
        recipients = ["ann@example.com", "bob@example.com"]
        given = {"report": "trend", "format": "html", "schedule": daily, "recipients": recipients}
        assert api.post("put_report_schedule", given).status == 200
        api.later(hours=2)
        api.restart()
        calls: dict[int, WireSent] = {}
        for name, run in (("start", self._start), ("make", self._make), ("look", self._start)):
            if name == "look":
                api.later(minutes=15)
            with plan() if name == stage else self.wire.tapped() as wire:
                run(api, partial(_heal, wire))
                if name == stage:
                    calls.update(wire.calls)
        # Once more, as the schedule and the queue do: nothing must come of it.
        self._start(api, _give_up)
        assert self._messages(api) == []
        return _stored(api), calls

    def _start(self, api: Api, heal: Callable[[], None]) -> None:
        for _ in range(3):
            try:
                reports.handler({"time": iso(api.clock.now)}, api.context)
            except (Crash, StorageBusyError):
                api.restart()
            heal()

    def _make(self, api: Api, heal: Callable[[], None]) -> None:
        while messages := self._messages(api):
            event = {"Records": [{"messageId": "m", "body": json.dumps(messages[0])}]}
            try:
                reports.handler(event, api.context)
            except Crash:
                api.restart()
            heal()

    def _messages(self, api: Api) -> list[dict[str, str]]:
        """What the queue still holds: a job that is not over."""
        return [
            {"tenant_id": api.tenant.id, "job_id": item.SK}
            for item in self.api.table.item.scan(consistent_read=True)
            if item.queue and item.PK.split("#")[1] == api.tenant.id
            if item.state in ("queued", "running")
        ]


def _heal(wire: Wire) -> None:
    wire.plan, wire.dead = (lambda _: None), False


def _give_up() -> None:
    """Nothing was planned."""


def _stored(api: Api) -> Counter[str]:
    """What there is of jobs, deliveries and of what comes next."""
    found: list[str] = []
    for (partition, sort), item in api.stored().items():
        _, tenant, kind, *_ = [*partition.split("#"), ""]
        if tenant != api.tenant.id or kind not in ("JOBS", "DLV", "WAKE", "REPORTS"):
            continue
        if kind == "DLV":
            row = json.loads(item["row"])
            found.append(f"delivery {row['connection_id']} {row['event_type']} {item['state']}")
        elif kind == "JOBS":
            found.append(f"job {item['state']} {json.loads(item['doc'])['params']['occurrence']}")
        elif sort.startswith("O#"):
            found.append(f"last {json.loads(item['doc'])['state']}")
        elif sort.startswith("report#"):
            found.append(f"next {item['row']}")
    return Counter(found)


@pytest.fixture
def book(api: Api, outside: Outside, impatient: Wire) -> Book:
    return Book(api, outside, impatient)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_a_call_that_fails_once_changes_nothing_of_what_is_sent(
    book: Book, stage: str, moment: str, subtests: pytest.Subtests
) -> None:
    expected, calls = book.live(stage, book.wire.tapped)
    assert expected == {
        "delivery mailto:ann@example.com report.ready pending": 1,
        "delivery mailto:bob@example.com report.ready pending": 1,
        "job done 2026-03-02T13:00:00.000Z": 1,
        "last done": 1,
        "next 2026-03-03T13:00:00.000Z": 1,
    }
    for number, call in calls.items():
        if not call.writes and (moment == AFTER or number % 2):
            continue
        for fault in AT[moment]:
            with subtests.test(f"{stage} {number} {call.operation} {fault.name}"):
                once = call_number(number, fault)
                found, _ = book.live(stage, partial(book.wire.failing, once, moment))
                assert found == expected
