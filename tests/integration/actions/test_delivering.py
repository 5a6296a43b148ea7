"""Delivering: retries by the clock, receivers that rest or are given up, summaries, escalation."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.builders import NOW, an_event
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, Reacting, Sent, received
from tests.integration.actions.test_alerts import DOWN, UP, a_connection, a_rule, below
from tests.integration.actions.test_decay import born, ticked

from vitals.domain.delivery import GONE, RETRY, SCHEDULE, Attempt, Delivery
from vitals.runtime.wiring import wiring
from vitals.storage.ports import Act, Entry, EntryChange, Wake
from vitals.storage.reaction_ports import CONNECTION, DIGEST, MANAGER

Answer = Callable[[Sent], Attempt]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.0)


def failing(status: int | None = 500, retry_after: int | None = None) -> Answer:
    """The answer of a receiver that is not well; without a status it gives none."""
    return lambda sent: Attempt(
        at=sent.at, verdict=RETRY, status=status, retry_after=retry_after, error="no answer"
    )


def gone(sent: Sent) -> Attempt:
    return Attempt(at=sent.at, verdict=GONE, status=410)


def told_of(api: Api, reacting: Reacting, name: str = "Acme") -> None:
    """Have a customer fall below the rule's limit."""
    api.upsert(name, **UP)
    api.upsert(name, **DOWN)
    reacting.settle()


def deliveries(api: Api, connection_id: str = "hook") -> list[Delivery]:
    """The deliveries to a connection, oldest first, with their attempts."""
    table = wiring().outbound.deliveries
    rows = [each for each in table.all(api.tenant.id) if each.connection_id == connection_id]
    found = [table.get(api.tenant.id, each.id) for each in reversed(rows)]
    return [each for each in found if each is not None]


def connection(api: Api, connection_id: str = "hook") -> Any:
    entry = wiring().outbound.rulebooks.entry(api.tenant.id, CONNECTION, connection_id)
    return entry and entry.document


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# Retries.


def test_a_failed_attempt_is_made_again_by_the_schedule_under_the_same_id(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    """After 5 seconds in the same invocation, then whenever the schedule finds it due."""
    a_rule(api, a_connection(api), below())
    outside.verdict = failing()
    told_of(api, reacting)
    start = outside.sent[0].at
    assert [each.at - start for each in outside.sent] == [timedelta(), SCHEDULE[0]]
    for wait in SCHEDULE[1:]:
        made = len(outside.sent)
        reacting.tick(seconds=wait.total_seconds() - 2)
        assert len(outside.sent) == made
        reacting.tick(seconds=2)
        assert len(outside.sent) == made + 1
    assert {each.payload["id"] for each in outside.sent} == {outside.sent[0].payload["id"]}
    [delivery] = deliveries(api)
    assert (delivery.state, delivery.tries, len(outside.sent)) == ("failed", 10, 10)
    reacting.tick(days=2)
    assert len(outside.sent) == 10


def test_a_receiver_that_recovers_is_told_and_no_more(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())
    outside.verdict = failing()
    told_of(api, reacting)
    outside.verdict = received
    reacting.tick(minutes=6)
    reacting.tick(days=3)
    [delivery] = deliveries(api)
    assert (delivery.state, len(delivery.attempts), len(outside.sent)) == ("delivered", 3, 3)
    health = wiring().outbound.rulebooks.health(api.tenant.id, "hook")
    assert (health.failing_since, health.failures) == (None, 0)


def test_a_receiver_is_left_alone_for_as_long_as_it_asks(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())
    outside.verdict = failing(429, retry_after=3600)
    told_of(api, reacting)
    told_of(api, reacting, "Bolt")
    assert len(outside.sent) == 1
    outside.verdict = received
    reacting.tick(minutes=59)
    assert len(outside.sent) == 1
    reacting.tick(minutes=1)
    assert [each.state for each in deliveries(api)] == ["delivered", "delivered"]


def test_a_message_that_comes_twice_makes_one_attempt(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())
    outside.verdict = failing()
    told_of(api, reacting)
    [delivery] = deliveries(api)
    made = len(outside.sent)
    for state in (failing(), received):
        outside.verdict = state
        outside.queue += [{"tenant_id": api.tenant.id, "delivery_id": delivery.id}] * 3
        reacting.deliver()
        assert len(outside.sent) == made
    reacting.tick(minutes=6)
    outside.queue += [{"tenant_id": api.tenant.id, "delivery_id": delivery.id}] * 3
    reacting.deliver()
    assert len(outside.sent) == made + 1


def test_what_a_midnight_brought_is_told_apart_from_the_write_whoever_finds_it(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    """The same events under the same ids, had the daily pass come or not (AMB-10)."""
    told = []
    for name, is_passed in (("Acme", False), ("Bolt", True)):
        api.clock.now = NOW + timedelta(seconds=1)
        each = born(api.another_tenant())
        a_rule(each, a_connection(each), below(), "no_contact")
        each.upsert(name, **UP, days=0)
        each.later(days=16)
        if is_passed:
            ticked(each)
            each.run_jobs()
        reacting.settle()
        each.later(minutes=1)
        each.upsert(name, **DOWN)
        reacting.settle()
        told.append([
            ([alert["event"] for alert in payload["data"]["alerts"]], payload["timestamp"])
            for payload in outside.told("alert.fired")
        ])  # fmt: skip
        outside.sent.clear()
    assert told[0] == [
        (["no_contact"], "2026-03-17T00:00:00.000Z"),
        (["health_below_threshold"], "2026-03-18T12:01:01.000Z"),
    ]
    assert told[1] == told[0]


def test_an_event_that_was_told_of_before_does_not_silence_those_beside_it(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    """A renewal is told of once for each window and date, however often it is moved."""
    a_rule(api, a_connection(api), below(), "renewal_approaching")
    for fields in (
        {"renewal_date": "2026-03-10"}, {"renewal_date": "2026-03-20"},
        {"renewal_date": "2026-03-10", **DOWN}, {"renewal_date": "2026-03-20", **UP},
    ):  # fmt: skip
        api.upsert("Acme", **(UP | fields))
        api.later(hours=1)
    reacting.settle()
    assert [
        [alert["event"] for alert in payload["data"]["alerts"]]
        for payload in outside.told("alert.fired")
    ] == [["renewal_approaching"], ["renewal_approaching"], ["health_below_threshold"]]


def test_a_change_whose_record_comes_again_is_told_of_once(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_connection(api, events=["*"])
    api.upsert("Acme", **UP)
    api.upsert("Acme", **DOWN)
    records = reacting.records()
    for _ in range(3):
        reacting.react(records)
        reacting.settle()
    told = [each.payload["id"] for each in outside.sent]
    assert len(told) == len(set(told)) > 3


# Receivers that do not answer.


def test_a_receiver_that_hangs_rests_and_what_is_behind_makes_no_attempt(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())

    def hanging(sent: Sent) -> Attempt:
        api.later(seconds=15)
        return failing(None)(sent)

    outside.verdict = hanging
    names = ["Acme", "Bolt", "Crux", "Dune"]
    for name in names:
        api.upsert(name, **UP)
        api.upsert(name, **DOWN)
    reacting.settle()
    # Not even the first is tried again at once: the tenant's others are behind it.
    assert len(outside.sent) == 1
    assert [each.tries for each in deliveries(api)].count(0) == 3
    outside.verdict = received
    reacting.tick(minutes=5)
    assert {each.state for each in deliveries(api)} == {"delivered"}
    assert {each.payload["data"]["customer"]["name"] for each in outside.sent} == set(names)


def test_the_first_retry_comes_five_seconds_after_the_attempt_ended(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())

    def slow(sent: Sent) -> Attempt:
        api.later(seconds=10)
        return failing()(sent)

    outside.verdict = slow
    told_of(api, reacting)
    assert outside.sent[1].at - outside.sent[0].at == timedelta(seconds=15)


def test_other_tenants_are_told_while_one_tenants_receiver_hangs(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    other = api.another_tenant()
    for each in (api, other):
        a_rule(each, a_connection(each), below())
    outside.verdict = lambda sent: (
        failing(None)(sent) if sent.connection.tenant_id == api.tenant.id else received(sent)
    )
    for each in (api, other):
        told_of(each, reacting)
    assert [each.state for each in deliveries(other)] == ["delivered"]
    assert [each.state for each in deliveries(api)] == ["pending"]


# Receivers that are given up.


def test_an_endpoint_that_is_gone_is_disabled_and_its_owner_told(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_connection(api, owner="ops@example.com")
    a_connection(api, "listens", events=["connection.disabled"])
    a_rule(api, "hook", below())
    outside.verdict = lambda sent: gone(sent) if sent.connection.id == "hook" else received(sent)
    told_of(api, reacting)
    assert [each.state for each in deliveries(api)] == ["failed"]
    assert (connection(api)["enabled"], connection(api)["disabled_reason"]) == (
        False, "it answered 410 Gone",
    )  # fmt: skip
    told = {
        each.connection.id: each.payload["data"]["reason"]
        for each in outside.sent
        if each.payload["type"] == "connection.disabled"
    }
    assert told == dict.fromkeys(("mailto:ops@example.com", "listens"), "it answered 410 Gone")
    api.upsert("Acme", **UP)
    told_of(api, reacting)
    assert len(outside.told("alert.fired")) == 1


def test_a_hook_that_is_gone_is_removed(api: Api, reacting: Reacting, outside: Outside) -> None:
    """Zapier's own end of a subscription."""
    a_connection(api, transient=True, events=["customer.created"])
    outside.verdict = gone
    api.upsert("Acme")
    reacting.settle()
    assert connection(api) is None
    api.upsert("Bolt")
    reacting.settle()
    assert len(outside.sent) == 1


def test_five_days_of_failures_disable_an_endpoint_and_tell_its_owner_once(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api, owner="ops@example.com"), below())
    outside.verdict = lambda sent: (
        failing()(sent) if sent.connection.id == "hook" else received(sent)
    )
    for day in range(5):
        told_of(api, reacting, f"C{day}")
        for _ in range(23):
            reacting.tick(hours=1)
        assert connection(api)["enabled"], day
        reacting.tick(hours=1)
    told_of(api, reacting, "Last")
    assert not connection(api)["enabled"]
    reacting.tick(days=1)
    [told] = outside.told("connection.disabled")
    assert told["data"]["reason"] == "it has failed for five days"
    made = len(outside.sent)
    reacting.tick(days=1)
    assert len(outside.sent) == made
    assert {each.state for each in deliveries(api)} <= {"cancelled", "failed"}


def test_a_success_in_between_counts_the_five_days_anew(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())
    for name, wait in (("Acme", 4), ("Bolt", 4), ("Crux", 0)):
        outside.verdict = failing()
        told_of(api, reacting, name)
        outside.verdict = received
        reacting.tick(days=wait)
    assert connection(api)["enabled"]


def test_what_was_to_go_to_a_connection_that_was_deleted_is_cancelled(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())
    api.upsert("Acme", **UP)
    api.upsert("Acme", **DOWN)
    reacting.react(reacting.records())
    api.table.delete_many([(f"T#{api.tenant.id}#RULES", "N#hook")])
    reacting.settle()
    assert outside.sent == []
    [delivery] = deliveries(api)
    assert (delivery.state, delivery.attempts[0].error) == (
        "cancelled", "the connection was deleted",
    )  # fmt: skip


# Summaries.


def summaries(outside: Outside) -> list[tuple[datetime, str, list[str]]]:
    """When each summary was sent, why, and whom it names."""
    return [
        (
            sent.at,
            sent.payload["data"]["reason"],
            [alert["customer"]["name"] for alert in sent.payload["data"]["alerts"]],
        )
        for sent in outside.sent
        if sent.payload["type"] == "alert.digest"
    ]


def every_half_hour(api: Api, reacting: Reacting, until: datetime) -> None:
    while api.clock.now < until:
        reacting.tick(minutes=30)


def test_a_daily_summary_comes_at_its_local_time_on_both_sides_of_a_clock_change(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    """AMB-45: the clocks of Berlin go on at one in the morning, UTC, on 29 March."""
    api.clock.now = at("2026-03-27T12:00:00+00:00")
    schedule = {"type": "daily", "at": "09:00", "time_zone": "Europe/Berlin"}
    a_rule(api, a_connection(api), below(), schedule=schedule)
    for name, until in (
        ("Acme", "2026-03-28T09:00+00:00"),
        ("Bolt", "2026-03-29T09:00+00:00"),
        ("Crux", "2026-03-30T09:00+00:00"),
    ):
        told_of(api, reacting, name)
        every_half_hour(api, reacting, at(until))
    assert summaries(outside) == [
        (at("2026-03-28T09:00+01:00"), "daily", ["Acme"]),
        (at("2026-03-29T09:00+02:00"), "daily", ["Bolt"]),
        (at("2026-03-30T09:00+02:00"), "daily", ["Crux"]),
    ]
    assert outside.told("alert.fired") == []


def test_a_weekly_summary_tells_of_the_week_once(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    schedule = {"type": "weekly", "on": "friday", "at": "17:30"}
    a_rule(api, a_connection(api), below(), schedule=schedule)
    for name in ("Acme", "Bolt", "Crux"):
        told_of(api, reacting, name)
        reacting.tick(hours=24)
    every_half_hour(api, reacting, at("2026-03-14T00:00+00:00"))
    assert summaries(outside) == [
        (at("2026-03-06T17:30+00:00"), "weekly", ["Acme", "Bolt", "Crux"])
    ]
    assert waking(api) == []


def test_an_alert_that_comes_late_is_told_in_a_summary_of_its_own(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    """The table's stream may be behind: what was written before nine is reacted to after it."""
    api.clock.now = at("2026-03-03T08:50+00:00")
    a_rule(api, a_connection(api), below(), schedule={"type": "daily", "at": "09:00"})
    told_of(api, reacting, "Acme")
    api.later(minutes=5)
    api.upsert("Bolt", **UP)
    api.upsert("Bolt", **DOWN)
    late = reacting.records()
    reacting.tick(minutes=5)
    reacting.react(late)
    for _ in range(3):
        reacting.tick(minutes=5)
    reacting.tick(days=3)
    assert [names for _, _, names in summaries(outside)] == [["Acme"], ["Bolt"]]


def test_what_comes_while_a_summary_is_made_is_told_of_in_another(
    api: Api, reacting: Reacting, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.clock.now = at("2026-03-03T08:50+00:00")
    a_rule(api, a_connection(api), below(), schedule={"type": "daily", "at": "09:00"})
    told_of(api, reacting, "Acme")
    api.later(minutes=5)
    api.upsert("Bolt", **UP)
    api.upsert("Bolt", **DOWN)
    late = reacting.records()
    table = wiring().outbound.deliveries
    add = type(table).add

    def meanwhile(self: Any, *given: Any) -> None:
        monkeypatch.setattr(type(table), "add", add)
        reacting.react(late)
        add(self, *given)

    monkeypatch.setattr(type(table), "add", meanwhile)
    reacting.tick(minutes=5)
    for _ in range(3):
        reacting.tick(minutes=5)
    assert [names for _, _, names in summaries(outside)] == [["Acme"], ["Bolt"]]


@pytest.mark.parametrize("manager", ["Ana", "ana+cs@example.com", "Team #1 @ night"])
def test_a_managers_summary_reaches_the_managers_own_connections(
    api: Api, reacting: Reacting, outside: Outside, manager: str
) -> None:
    for name in ("hook", "own"):
        a_connection(api, name)
    entry = {"name": manager, "connections": ["own"]}
    put_entry(api, MANAGER, "m1", entry)
    a_rule(api, "hook", below(), to_manager=True, schedule={"type": "daily", "at": "15:00"})
    api.upsert("Acme", manager=manager)
    told_of(api, reacting)
    told_of(api, reacting, "Bolt")
    every_half_hour(api, reacting, at("2026-03-02T16:00+00:00"))
    told = {
        sent.connection.id: {each["customer"]["name"] for each in sent.payload["data"]["alerts"]}
        for sent in outside.sent
    }
    assert told == {"hook": {"Acme", "Bolt"}, "own": {"Acme"}}


def test_the_manager_of_a_customer_is_told_at_once_beside_the_rules_own(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    for name in ("hook", "own"):
        a_connection(api, name)
    put_entry(api, MANAGER, "m1", {"name": "Ana", "connections": ["own", "hook"]})
    a_rule(api, "hook", below(), to_manager=True)
    api.upsert("Acme", manager="ANA")
    told_of(api, reacting)
    told_of(api, reacting, "Bolt")
    told = [(sent.connection.id, sent.payload["data"]["customer"]["name"]) for sent in outside.sent]
    assert sorted(told) == [("hook", "Acme"), ("hook", "Bolt"), ("own", "Acme")]


def test_a_new_model_gives_one_summary_and_no_flood(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())
    names = [f"C{number}" for number in range(12)]
    for name in names:
        api.upsert(name, logins=16, adoption=55)
    reacting.settle()
    assert outside.sent == []
    curve = {"type": "linear", "zero": 50, "full": 100}
    reply = api.post("update_config", {"signals": {"adoption": {"curve": curve}}})
    assert reply.status == 200, reply.body
    api.run_jobs()
    reacting.settle()
    assert outside.told("alert.fired") == []
    for _ in range(4):
        reacting.tick(minutes=5)
    [(_, reason, told)] = summaries(outside)
    assert (reason, sorted(told)) == ("model", sorted(names))
    reacting.tick(days=1)
    assert len(summaries(outside)) == 1


# Escalation.


@pytest.mark.parametrize("verb", ["", "acknowledge_alerts", "dismiss_alerts"])
def test_a_critical_alert_goes_up_unless_somebody_took_note(
    api: Api, reacting: Reacting, outside: Outside, verb: str
) -> None:
    """PLUS-18."""
    for name in ("hook", "boss"):
        a_connection(api, name)
    a_rule(
        api, "hook", below(),
        escalation={"after_minutes": 60, "connections": ["boss"]},
    )  # fmt: skip
    api.upsert("Acme", **UP)
    api.upsert("Acme", logins=0, adoption=0)
    reacting.settle()
    [alert] = outside.told("alert.fired")[0]["data"]["alerts"]
    assert alert["severity"] == "critical"
    reacting.tick(minutes=59)
    assert outside.told("alert.escalated") == []
    if verb:
        assert api.post(verb, {"ids": [alert["id"]]}).status == 200
    for _ in range(3):
        reacting.tick(minutes=5)
    reacting.tick(days=1)
    told = [
        sent.connection.id for sent in outside.sent if sent.payload["type"] == "alert.escalated"
    ]
    assert told == ([] if verb else ["boss"])


def test_an_alert_that_is_over_goes_up_to_nobody(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    for name in ("hook", "boss"):
        a_connection(api, name)
    a_rule(
        api, "hook", below(),
        escalation={"after_minutes": 60, "connections": ["boss"]},
    )  # fmt: skip
    api.upsert("Acme", **UP)
    api.upsert("Acme", logins=0, adoption=0)
    api.upsert("Acme", **UP)
    reacting.settle()
    reacting.tick(minutes=61)
    assert outside.told("alert.escalated") == []


def test_what_was_set_anew_meanwhile_is_not_done(api: Api) -> None:
    wakes, now = wiring().outbound.wakes, api.clock.now
    early = Wake(api.tenant.id, DIGEST, "box", now)
    wakes.set(early)
    wakes.set(replace(early, at=now + HOUR))
    wakes.done(early)
    assert waking(api) == [replace(early, at=now + HOUR)]
    wakes.done(replace(early, at=now + HOUR))
    assert waking(api) == []


def waking(api: Api) -> list[Wake]:
    """What is to be gone on with, whenever."""
    return list(wiring().outbound.wakes.due(api.clock.now + 1000 * HOUR))


def put_entry(api: Api, kind: str, entry_id: str, document: dict[str, Any]) -> None:
    """Store an entry of the rulebook."""
    entry = Entry(kind, entry_id, 1, document)
    act = Act(event=an_event(entry_id), entries=[EntryChange(None, entry)])
    wiring().administration.commit(api.tenant, act)
