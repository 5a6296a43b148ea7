"""Reactions, deliveries and what is due, when calls to the table fail: nothing lost, nothing twice.

Only an attempt may be made twice, under the same `webhook-id`: nobody can tell whether the
receiver had it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from local import template
from local.dynamodb import ROOT
from tests.builders import NOW, an_event
from tests.integration.actions.api import Api, Clock, an_api
from tests.integration.actions.outside import Outside, Reacting, received
from tests.integration.actions.test_alerts import DOWN, UP, a_connection, a_rule, below
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
from tests.integration.tables import connected

import alerts
import deliver
import reactions
from vitals.domain.builtin_rules import BUILT_IN
from vitals.domain.delivery import GONE, Attempt
from vitals.domain.instants import iso
from vitals.runtime.wiring import wiring
from vitals.storage.ports import Act, Entry, EntryChange, StorageBusyError
from vitals.storage.reaction_ports import CONNECTION, SWITCHED
from vitals.storage.table import Table

Plan = Callable[[], AbstractContextManager[Wire]]
ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
Record = dict[str, Any]


@pytest.fixture(scope="session")
def template_table() -> template.Table:
    """The table with its stream."""
    [table] = template.read(ROOT / "template.yaml", {}).tables
    return table


@pytest.fixture(scope="module")
def faults_table(streaming: Mapping[str, str]) -> Table:
    """A table whose stream holds nobody else's writes, not yet created."""
    return connected("faults", streaming)


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    """What is beside the table, played for the length of a test."""
    played = Outside()
    monkeypatch.setattr("vitals.runtime.outbound.KeyVault", played.vault)
    monkeypatch.setattr("vitals.runtime.outbound.QueueSender", played.sender)
    monkeypatch.setattr("vitals.runtime.outbound.attempt", played.attempt)
    return played


@pytest.fixture
def api(table: Table, hands: Clock, outside: Outside) -> Api:  # noqa: ARG001 - played before the function starts
    return an_api(table, hands)


@pytest.fixture
def reacting(api: Api, outside: Outside, streaming: Mapping[str, str]) -> Reacting:
    return Reacting(api, outside, streaming)


@dataclass
class Bench:
    """Tenants that are all alike, each for one try of one stage."""

    api: Api
    reacting: Reacting
    outside: Outside
    wire: Wire

    def tenant(self) -> Api:
        """A new tenant of whose customer much is to be told."""
        self.outside.sent.clear()
        self.outside.queue.clear()
        self.api.clock.now = NOW
        api = self.api.another_tenant()
        entries = [
            EntryChange(None, Entry(SWITCHED, rule, 1, {"enabled": False})) for rule in BUILT_IN
        ]
        wiring().administration.commit(api.tenant, Act(event=an_event("off"), entries=entries))
        a_connection(api, owner="ops@example.com")
        a_connection(api, "listens", events=["health.changed", "alert.fired"])
        up = {"after_minutes": 30, "connections": ["listens"]}
        a_rule(api, "hook", below(), name="at once", escalation=up, severity="critical")
        a_rule(api, "hook", below(60), name="daily", schedule={"type": "daily", "at": "12:30"})
        a_rule(api, "hook", "rapid_score_drop", name="armed", cooldown_hours=48)
        api.upsert("Acme", **UP)
        self.reacting.records()
        api.upsert("Acme", **DOWN)
        return api

    # The stages: each is done again until it is done, as the stream, the queue, the schedule do.

    def react(self, api: Api, records: list[Record], again: Callable[[], None]) -> None:
        while records:
            try:
                answer = reactions.handler({"Records": records}, api.context)
            except Crash:
                api.restart()
                again()
                continue
            failed = answer["batchItemFailures"]
            if not failed:
                return
            numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
            records = records[numbers.index(failed[0]["itemIdentifier"]) :]
            again()

    def deliver(self, api: Api, again: Callable[[], None]) -> None:
        while self.outside.queue:
            message = self.outside.queue[0]
            event = {"Records": [{"messageId": "m", "body": json.dumps(message)}]}
            try:
                answer = deliver.handler(event, api.context)
            except Crash:
                api.restart()
                again()
                continue
            if answer["batchItemFailures"]:
                again()
            else:
                self.outside.queue.pop(0)

    def go_on(self, api: Api, again: Callable[[], None]) -> None:
        try:
            alerts.handler({"time": iso(api.clock.now)}, api.context)
        except Crash:
            api.restart()
            again()
        except StorageBusyError:
            again()

    def live(self, stage: str, plan: Plan) -> tuple[Api, dict[int, WireSent]]:
        """Go through all stages on a new tenant, *stage* as planned; return its calls as well."""
        api = self.tenant()
        api.restart()
        calls: dict[int, WireSent] = {}

        def watched(name: str, run: Callable[[Callable[[], None]], None]) -> None:
            if name != stage or calls:
                run(give_up)
                return
            with plan() as wire:
                run(partial(healed, wire))
                calls.update(wire.calls)

        for _ in range(3):
            records = self.reacting.records()
            watched("react", partial(self.react, api, records))
        watched("deliver", partial(self.deliver, api))
        api.upsert("Acme", **UP)
        records = self.reacting.records()
        watched("recover", partial(self.react, api, records))
        self.react(api, self.reacting.records(), give_up)
        for minutes in (31, 5, 5):
            api.later(minutes=minutes)
            watched("due", partial(self.go_on, api))
            # What failed is due at the next run; here at the same instant, to compare.
            self.go_on(api, give_up)
            self.react(api, self.reacting.records(), give_up)
            self.deliver(api, give_up)
        return api, calls


def give_up() -> None:
    raise AssertionError("it failed where nothing was planned to")


def healed(wire: Wire) -> None:
    """Have the fault be over."""
    wire.plan, wire.dead = (lambda _: None), False


def items(api: Api) -> Counter[str]:
    """What is stored of alerts, deliveries, wakes and boxes, by names instead of ids.

    But how often, and when, something was tried.
    """
    found = []
    for (partition, sort), item in api.stored().items():
        tenant, _, rest = partition.removeprefix("T#").partition("#")
        if tenant != api.tenant.id or rest.partition("#")[0] not in KINDS:
            continue
        facts = {**as_dict(item.get("row")), **as_dict(item.get("doc"))}
        shown = {name: value for name, value in facts.items() if name not in TRIED}
        text = json.dumps([rest, sort, item.get("state"), shown], sort_keys=True)
        found.append(ULID.sub("X", text))
    return Counter(found)


def as_dict(text: str | None) -> dict[str, Any]:
    """The facts of an item's text; that of a wake is an instant."""
    if not text:
        return {}
    return json.loads(text) if text.startswith("{") else {"at": text}


KINDS = ("AL", "DLV", "WAKE", "BOX")
TRIED = ("tries", "attempts", "version", "next_at")
AT = {BEFORE: [CRASH, THROTTLED], AFTER: [CRASH, UNAVAILABLE]}
STAGES = ("react", "deliver", "recover", "due")


@pytest.fixture
def bench(api: Api, reacting: Reacting, outside: Outside, impatient: Wire) -> Bench:
    return Bench(api, reacting, outside, impatient)


def told(outside: Outside) -> set[tuple[str, str, str]]:
    return {
        (each.connection.id, each.payload["type"], ULID.sub("X", json.dumps(each.payload)))
        for each in outside.sent
    }


def ids(outside: Outside) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in outside.sent:
        found.setdefault(each.payload["id"], set()).add(json.dumps(each.payload))
    return found


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_a_call_that_fails_once_changes_nothing_of_what_comes_of_it(
    bench: Bench, stage: str, moment: str, subtests: pytest.Subtests
) -> None:
    api, calls = bench.live(stage, bench.wire.tapped)
    expected, heard = items(api), told(bench.outside)
    assert {kind for _, kind, _ in heard} == {"alert.fired", "alert.digest", "health.changed"}
    for number, call in calls.items():
        # A read that is lost on the way back is as one that was never sent; of reads, which change
        # nothing, a third will do.
        if not call.writes and (moment == AFTER or number % 3):
            continue
        fault = AT[moment][number % 2]
        with subtests.test(f"{stage} {number} {call.operation} {fault.name}"):
            once = call_number(number, fault)
            hit, _ = bench.live(stage, partial(bench.wire.failing, once, moment))
            assert items(hit) == expected
            assert told(bench.outside) == heard
            assert all(len(bodies) == 1 for bodies in ids(bench.outside).values())


# One record alone.


def test_a_poisoned_record_fails_alone(api: Api, reacting: Reacting, outside: Outside) -> None:
    """The handler names it: what is before it is done, and what is behind it once it is cut off."""
    a_rule(api, a_connection(api), below())
    for name in ("Acme", "Bolt", "Crux"):
        api.upsert(name, **UP)
    reacting.settle()
    for name in ("Acme", "Bolt", "Crux"):
        api.upsert(name, **DOWN)
    first, poisoned, last = reacting.records()
    poisoned["dynamodb"]["NewImage"]["row"]["S"] = "{broken"
    number = poisoned["dynamodb"]["SequenceNumber"]
    failed = {"batchItemFailures": [{"itemIdentifier": number}]}
    assert reactions.handler({"Records": [first, poisoned, last]}, api.context) == failed
    assert told_names(reacting, outside) == ["Acme"]
    # The stream cuts the batch in half, and sets the record aside in the end.
    assert reactions.handler({"Records": [poisoned]}, api.context) == failed
    assert reactions.handler({"Records": [last]}, api.context) == {"batchItemFailures": []}
    assert told_names(reacting, outside) == ["Acme", "Crux"]


def told_names(reacting: Reacting, outside: Outside) -> list[str]:
    reacting.settle()
    return [each["data"]["customer"]["name"] for each in outside.told("alert.fired")]


# What is gone.


def test_a_tenant_that_is_gone_is_told_nothing_and_holds_up_nobody(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    other = api.another_tenant()
    for each in (api, other):
        a_rule(each, a_connection(each), below())
        each.upsert("Acme", **DOWN)
    records = reacting.records()
    gone_tenant = wiring().tenants.tenant(api.tenant.id)
    assert gone_tenant is not None
    wiring().tenants.erase(gone_tenant, lambda: True)
    reacting.records()
    reacting.react(records)
    reacting.settle()
    assert {each.connection.tenant_id for each in outside.sent} == {other.tenant.id}
    assert leftovers(api) == []
    outside.queue.append({"tenant_id": api.tenant.id, "delivery_id": "X_Y"})
    reacting.deliver()
    reacting.tick(days=1)


def test_a_rule_about_a_signal_that_is_gone_rests_and_the_others_go_on(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    signals = {
        "logins": {"weight": 20},
        "seats": {
            "weight": 5,
            "dimension": "product",
            "curve": {"type": "linear", "zero": 0, "full": 10},
        },
    }
    reply = api.post("update_config", {"signals": signals})
    assert reply.status == 200, reply.body
    hook = a_connection(api)
    rule = {"name": "seats", "when": "seats < 5", "connections": [hook]}
    assert api.post("put_custom_rule", rule).status == 200
    a_rule(api, hook, below())
    signals = {"logins": {"weight": 25}, "seats": None}
    reply = api.post("update_config", {"signals": signals})
    assert reply.status == 200, reply.body
    api.run_jobs()
    api.upsert("Acme", **UP)
    api.upsert("Acme", **DOWN)
    reacting.settle()
    assert len(outside.told("alert.fired")) == 1


@pytest.mark.parametrize("schedule", ["realtime", {"type": "daily", "at": "15:00"}])
@pytest.mark.parametrize("when", ["before its reaction", "before its delivery"])
def test_a_customer_that_is_purged_leaves_no_trace(
    api: Api, reacting: Reacting, outside: Outside, schedule: Any, when: str
) -> None:
    """AMB-13."""
    a_rule(api, a_connection(api, events=["health.changed"]), below(), schedule=schedule)
    made = api.upsert("Secret Corp", **UP)
    api.upsert("Secret Corp", **DOWN)
    records = reacting.records()
    if when == "before its delivery":
        reacting.react(records)
        assert any("Secret" in str(item) for item in leftovers(api))
    assert api.post("delete_customer", {"id": made["id"], "hard": True}).status == 200
    reacting.react(records)
    reacting.settle()
    reacting.tick(hours=4)
    reacting.tick(days=1)
    assert not [item for item in leftovers(api) if "Secret" in str(item)]
    assert "Secret" not in str([each.payload for each in outside.sent])


def test_a_customer_that_is_purged_while_it_is_reacted_to_leaves_no_trace(
    api: Api, reacting: Reacting, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was raised after the purge is erased by the purge's own record."""
    a_rule(api, a_connection(api, events=["health.changed"]), below())
    made = api.upsert("Secret Corp", **DOWN)
    records = reacting.records()
    table = type(wiring().outbound.alerts)
    raise_all = table.raise_all

    def late(self: Any, tenant_id: str, raised: Any) -> frozenset[str]:
        monkeypatch.setattr(table, "raise_all", raise_all)
        assert api.post("delete_customer", {"id": made["id"], "hard": True}).status == 200
        return raise_all(self, tenant_id, raised)

    monkeypatch.setattr(table, "raise_all", late)
    reacting.react(records)
    assert any("Secret" in str(item) for item in leftovers(api))
    reacting.settle()
    assert not [item for item in leftovers(api) if "Secret" in str(item)]
    assert outside.sent == []


def leftovers(api: Api) -> list[Any]:
    """Every item of the tenant that says anything of a customer, or of what was told."""
    own = f"T#{api.tenant.id}#"
    kept = ("AUDIT", "RULES", "JOBS")
    return [
        item
        for (partition, _), item in api.stored().items()
        if partition.startswith(own) and partition.removeprefix(own) not in kept
    ]


# What is given up.


def test_whoever_dies_while_giving_an_endpoint_up_has_its_owner_told_still(
    bench: Bench, subtests: pytest.Subtests
) -> None:
    api = bench.api
    bench.outside.verdict = lambda sent: (
        Attempt(at=sent.at, verdict=GONE, status=410)
        if sent.connection.id.startswith("hook")
        else received(sent)
    )
    for transient in (False, True):
        for number in range(1, 30):
            name = f"hook{number}{transient}"
            a_connection(
                api, name, owner=f"{name}@example.com", transient=transient,
                events=["customer.deleted"],
            )  # fmt: skip
            made = api.upsert(name)
            api.post("delete_customer", {"id": made["id"]})
            bench.react(api, bench.reacting.records(), give_up)
            bench.react(api, bench.reacting.records(), give_up)
            with bench.wire.failing(call_number(number, CRASH)) as wire:
                bench.deliver(api, partial(healed, wire))
            bench.react(api, bench.reacting.records(), give_up)
            bench.deliver(api, give_up)
            with subtests.test(name):
                told = [
                    each.connection.shown
                    for each in bench.outside.sent
                    if each.payload["type"] == "connection.disabled"
                ]
                assert told.count(f"{name}@example.com") == 1
                left = wiring().outbound.rulebooks.entry(api.tenant.id, CONNECTION, name)
                assert (left is None) == transient
                assert left is None or not left.document["enabled"]
            api.table.delete_many([(f"T#{api.tenant.id}#RULES", f"N#{name}")])
            if number > len(wire.calls):
                break
