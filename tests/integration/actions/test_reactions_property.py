"""Random lives of customers: alerts and deliveries are those of a simple oracle of edges (AMB-08).

Whatever comes twice, late, cut anywhere, or breaks off in between.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.integration.actions.edge_oracle import LOOKS, Oracle, Told
from tests.integration.actions.outside import Reacting, Sent, received
from tests.integration.actions.test_alerts import a_connection
from tests.integration.actions.test_decay import born, ticked

import alerts
import reactions
from vitals.domain.builtin_rules import BUILT_IN
from vitals.domain.delivery import RETRY, Attempt
from vitals.domain.instants import iso
from vitals.runtime.wiring import wiring
from vitals.storage.ports import StorageBusyError
from vitals.storage.table import Table

EVENTS: Mapping[str, Any] = {
    "below": {"events": [{"type": "health_below_threshold", "threshold": 50}]},
    "rearmed": {"events": [{"type": "health_below_threshold", "threshold": 50, "rearm": 60}]},
    "at risk": {"events": ["account_at_risk"]},
    "renewal": {"events": [{"type": "renewal_approaching", "days": 30}]},
    "quiet": {"events": ["no_contact"]},
    "cadence": {"events": [{"type": "no_contact", "max_days": "cadence"}]},
    "unhappy": {"events": ["nps_detractor"]},
    "stage": {"events": ["lifecycle_change"]},
    "drop": {"events": ["rapid_score_drop"]},
    "custom": {"when": "health_score < 60 AND tier = 'enterprise' AND renewal_within <= 60"},
    "of Ana": {
        "events": [
            "health_below_threshold", "lifecycle_change", {"type": "no_contact", "max_days": 10},
        ],
        "managers": ["Ana"],
    },
    "rearmed for Ana": {
        "events": [{"type": "health_below_threshold", "threshold": 50, "rearm": 60}],
        "managers": ["Ana"],
    },
    "cooling": {
        "events": [
            {"type": "health_below_threshold", "threshold": 55},
            {"type": "no_contact", "max_days": 5},
        ],
        "cooldown_hours": 60,
    },
}  # fmt: skip
STARTS = (
    ("UTC", "2026-03-02T12:00:00+00:00"),
    ("Europe/Berlin", "2026-03-26T09:00:00+00:00"),
    ("America/Santiago", "2026-09-03T15:00:00+00:00"),
    ("Pacific/Auckland", "2026-04-02T01:30:00+00:00"),
)
CALLS = ("get", "query", "transact", "put", "delete_many")
STEPS = 26
NAMES = ("Acme", "Bolt", "Crux")


class BrokenOffError(Exception):
    """A call that failed as nobody foresaw."""


class Killed(BaseException):
    """The process is no more."""


class Life:
    """One random life of a tenant. *lags*: the stream falls behind a day; *skips*: passes fail."""

    def __init__(self, reacting: Reacting, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - drives a test
        api = self.api = reacting.api
        self.reacting, self.outside = reacting, reacting.outside
        self.lags, self.skips = seed % 3 == 1, seed % 3 == 2
        zone, start = STARTS[seed % len(STARTS)]
        left_out = {"cooling"} if self.lags else set()
        if self.skips:
            left_out = {"rearmed", "rearmed for Ana"}
        self.oracle = Oracle(zone, frozenset(LOOKS) - left_out)
        self.backlog: list[dict[str, Any]] = []
        self.seen: list[dict[str, Any]] = []
        self.names: dict[str, str] = {}
        self._fault: tuple[int, bool, BaseException] | None = None
        self._calls = 0
        api.clock.now = datetime.fromisoformat(start)
        born(api)
        api.post("update_config", {"time_zone": zone, "rescore": False})
        for rule in BUILT_IN:
            assert api.post("toggle_alert_rule", {"id": rule, "enabled": False}).status == 200
        hooks = [a_connection(api, "one"), a_connection(api, "two")]
        a_connection(api, "listens", events=["alert.fired"])
        self.told_by = {name: hooks[: 1 + number % 2] for number, name in enumerate(LOOKS)}
        for name in sorted(self.oracle.rules):
            action = "put_custom_rule" if "when" in EVENTS[name] else "put_alert_rule"
            given = {"name": name, "connections": self.told_by[name], **EVENTS[name]}
            assert api.post(action, given).status == 200
        reacting.records()

    def live(self) -> None:
        """Do something, and something again."""
        for _ in range(STEPS):
            what = self.random.choices(
                (self.write, self.repeat, self.trash, self.wait, self.turn, self.settle),
                (10, 2, 2, 4, 7, 6),
            )[0]
            what()
            if not self.lags:
                self.settle()
        self.settle()
        self.outside.verdict = received
        self.turn()
        self.settle()
        for _ in range(12):
            self.reacting.tick(minutes=6)

    def write(self) -> None:
        """Write some facts of somebody."""
        some = self.random
        name = some.choice(NAMES)
        if (known := self.names.get(name)) and self.oracle.known[known].customer.deleted_at:
            return
        today = self.api.clock.now.date()
        low = some.random() < 0.5
        fields: dict[str, Callable[[], Any]] = {
            "logins": lambda: some.randint(0, 8) if low else some.randint(15, 30),
            "adoption": lambda: some.randint(0, 40) if low else some.randint(60, 100),
            "nps": lambda: some.randint(0, 10),
            "tickets": lambda: some.randint(0, 5),
            "days": lambda: some.choice([0, 0, 3, 12, 20, 60]),
            "renewal_date": lambda: f"{today + timedelta(days=some.randint(-3, 45))}",
            "manager": lambda: some.choice(["Ana", "ana", "Bob", ""]) or None,
            "lifecycle": lambda: some.choice(["active", "atrisk", "churned", "won"]),
            "tier": lambda: some.choice(["enterprise", "mid", "smb"]),
            "note": lambda: str(some.random()),
            "score": lambda: some.choice([20, 45, 90]),
        }
        chosen = some.sample(sorted(fields), some.randint(1, 4))
        given = {field: fields[field]() for field in chosen}
        if "score" in given:
            expires = self.api.clock.now + timedelta(hours=some.randint(1, 40))
            given["override_expires_at"] = iso(expires)
        self.sent(name, given)

    def repeat(self) -> None:
        """Send again what is there already."""
        if self.names:
            name = self.random.choice(sorted(self.names))
            found = self.oracle.known[self.names[name]].customer
            if found.deleted_at is None and found.signals:
                self.sent(name, dict(found.signals))

    def trash(self) -> None:
        """Delete somebody, or bring it back."""
        if self.names:
            name = self.random.choice(sorted(self.names))
            gone = self.oracle.known[self.names[name]].customer.deleted_at is not None
            if not gone and self.skips:
                self.turn()  # what time made true is not told of whoever is gone
            action = "restore_customer" if gone else "delete_customer"
            assert self.api.post(action, {"id": self.names[name]}).status == 200
            self.look()

    def sent(self, name: str, fields: Mapping[str, Any]) -> None:
        made = self.api.upsert(name, **fields)
        self.names[name] = made["id"]
        self.look()

    def wait(self) -> None:
        """Let some time pass; a pass that is due is made, unless passes fail."""
        self.pass_time(timedelta(minutes=self.random.randint(1, 900)), late=self.skips)

    def turn(self) -> None:
        """Let a day or two pass."""
        for _ in range(self.random.randint(1, 3)):
            self.pass_time(timedelta(hours=24), late=self.skips and self.random.random() < 0.5)

    def pass_time(self, length: timedelta, *, late: bool) -> None:
        """Let the schedule come round as it does: a while after each midnight."""
        until = self.api.clock.now + length
        while not late and self.api.clock.now + timedelta(minutes=15) < until:
            self.api.clock.now += timedelta(minutes=15)
            if self.api.clock.now.minute < 15:
                self.turned()
        self.api.clock.now = max(until, self.api.clock.now)
        if not late:
            self.turned()

    def turned(self) -> None:
        """Make the daily pass if it is due; what the oracle has is what stands in the table."""
        if ticked(self.api):
            self.api.run_jobs()
            now = self.api.clock.now
            self.look()
            for known in self.oracle.known.values():
                self.oracle.pass_time(known.customer.id, now)
        if not self.lags:
            alerts.handler({"time": iso(self.api.clock.now)}, self.api.context)

    def look(self) -> None:
        """Have the oracle look at every version that is new."""
        for customer_id in self.names.values():
            found = wiring().customers.get(self.api.tenant, customer_id)
            assert found is not None
            known = self.oracle.known.get(customer_id)
            if known is None or known.customer.updated_at != found.updated_at:
                self.oracle.wrote(found)

    # The stream.

    def settle(self) -> None:
        """Hand in what was written, anyhow, until all is quiet."""
        for _ in range(30):
            self.backlog += self.reacting.records()
            if not self.backlog and not self.outside.queue:
                return
            while self.backlog:
                self.hand_in(list(self.batch()))
            self.outside.verdict = self.moody
            self.reacting.deliver()
        raise AssertionError("reactions follow from reactions")

    def batch(self) -> Iterator[dict[str, Any]]:
        """Take the next batch: customers in any order, each one's own records in theirs."""
        queues: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in self.backlog:
            queues[json.dumps(record["dynamodb"]["Keys"])].append(record)
        for _ in range(self.random.randint(1, 12)):
            if not queues:
                break
            key = self.random.choice(list(queues))
            record = queues[key].pop(0)
            self.backlog.remove(record)
            if not queues[key]:
                del queues[key]
            yield record

    def hand_in(self, records: list[dict[str, Any]]) -> None:
        """Hand a batch in until all of it is done, and some of it once more."""
        self.seen += records
        while records:
            records = records[self.done(records) :]
        if self.random.random() < 0.3:
            first = self.random.randrange(len(self.seen))
            again = self.seen[first : first + self.random.randint(1, 20)]
            assert self.done(again, fails=False) == len(again)

    def done(self, records: list[dict[str, Any]], *, fails: bool = True) -> int:
        """Hand in *records*, and return how many are done when it breaks off, if it does."""
        if fails and self.random.random() < 0.5:
            kind = self.random.choice((StorageBusyError(), BrokenOffError(), Killed()))
            self._fault = (
                self._calls + self.random.randint(1, 30),
                self.random.random() < 0.5,
                kind,
            )
        try:
            answer = reactions.handler({"Records": records}, self.api.context)
        except Killed:
            return 0
        finally:
            self._fault = None
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        return numbers.index(failed[0]) if failed else len(records)

    def tap(self, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the table's calls fail when they shall, before or after their effect."""
        for name in CALLS:
            monkeypatch.setattr(table, name, self._failing(getattr(table, name)))

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **options: Any) -> Any:
            self._calls += 1
            fault = self._fault
            if fault is None or self._calls != fault[0]:
                return call(*args, **options)
            if fault[1]:
                call(*args, **options)
            raise fault[2]

        return called

    def moody(self, sent: Sent) -> Attempt:
        """The answer of a receiver that fails now and then."""
        if self.random.random() < 0.8:
            return received(sent)
        return Attempt(at=sent.at, verdict=RETRY, status=500)

    # What came of it.

    def raised(self) -> tuple[Counter[Told], Counter[Told]]:
        """Return every alert, and every one that is open."""
        found = [
            each
            for customer_id in self.names.values()
            for each in wiring().outbound.alerts.of_customer(self.api.tenant.id, customer_id)
        ]
        told = [(each.rule_name, each.event, each.customer_id, each.at) for each in found]
        is_open = [key for key, each in zip(told, found, strict=True) if each.state == "open"]
        return Counter(told), Counter(is_open)

    def delivered(self) -> Counter[tuple[str, frozenset[Told]]]:
        """Return what each receiver was told at least once, by what was told."""
        payloads: dict[str, Mapping[str, Any]] = {}
        pairs = set()
        for sent in self.outside.sent:
            if sent.payload["type"] == "alert.fired":
                event_id = sent.payload["id"]
                assert payloads.setdefault(event_id, sent.payload) == sent.payload
                pairs.add((sent.connection.id, event_id))
        return Counter((receiver, told_in(payloads[event_id])) for receiver, event_id in pairs)

    def expected(self) -> Counter[tuple[str, frozenset[Told]]]:
        """Return what each receiver must be told: all of a rule, customer and instant together."""
        together = defaultdict(set)
        for told in self.oracle.alerts:
            together[told[0], told[2], told[3]].add(told)
        return Counter(
            (receiver, frozenset(found))
            for (rule, _, _), found in together.items()
            for receiver in (*self.told_by[rule], "listens")
        )


def told_in(payload: Mapping[str, Any]) -> frozenset[Told]:
    data = payload["data"]
    return frozenset(
        (
            data["rule"]["name"],
            each["event"],
            data["customer"]["id"],
            datetime.fromisoformat(each["at"]),
        )
        for each in data["alerts"]
    )


def differing(found: Counter[Any], expected: Counter[Any]) -> tuple[list[Any], list[Any]]:
    """Return what is too much, and what is missing."""
    return list(found - expected), list(expected - found)


@pytest.mark.parametrize("seed", range(3))
def test_alerts_and_deliveries_are_those_of_the_oracle(
    reacting: Reacting, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    life = Life(reacting, seed)
    life.tap(reacting.api.table, monkeypatch)
    life.live()
    raised, still_open = life.raised()
    assert differing(raised, Counter(life.oracle.alerts)) == ([], [])
    if not life.lags:
        assert differing(still_open, Counter(life.oracle.open)) == ([], [])
    assert differing(life.delivered(), life.expected()) == ([], [])
