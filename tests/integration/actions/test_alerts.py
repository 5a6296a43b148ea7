"""Alerts: rules, what raises them, who is told, and the feed (IQ-105 to 132)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.builders import an_event
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, Reacting

from vitals.domain.connection import Secrets
from vitals.runtime.wiring import wiring
from vitals.storage.ports import Act, Entry, EntryChange
from vitals.storage.reaction_ports import CONNECTION

UP = {"logins": 22, "adoption": 75}
DOWN = {"logins": 3, "adoption": 40}


def a_connection(api: Api, connection_id: str = "hook", **fields: Any) -> str:
    """Store a connection, and return its id."""
    at = "2026-03-01T00:00:00.000Z"
    document = {
        "name": connection_id, "kind": "webhook", "shown": "https://example.com/•••",
        "created_at": at, "updated_at": at, "created_by": "key-1", "enabled": True,
        "sealed": wiring().outbound.vault.seal(
            api.tenant.id, connection_id, Secrets(url="https://example.com/hook")
        ),
        **fields,
    }  # fmt: skip
    entry = Entry(CONNECTION, connection_id, 1, document)
    act = Act(event=an_event(connection_id), entries=[EntryChange(None, entry)])
    wiring().administration.commit(api.tenant, act)
    return connection_id


@pytest.fixture
def hook(api: Api) -> str:
    return a_connection(api)


def a_rule(api: Api, hook: str, *events: Any, **fields: Any) -> Any:
    rule = {"name": "Below 50", "events": list(events), "connections": [hook], **fields}
    return api.post("put_alert_rule", rule).data


def below(threshold: int = 50, **fields: Any) -> dict[str, Any]:
    return {"type": "health_below_threshold", "threshold": threshold, **fields}


def feed(api: Api, **filters: Any) -> list[Any]:
    found: list[Any] = api.get("list_alerts", **filters).data
    return found


def test_a_score_that_falls_below_is_told_once(
    api: Api, reacting: Reacting, outside: Outside, hook: str
) -> None:
    rule = a_rule(api, hook, below())
    api.upsert("Acme", **UP, mrr=500)
    reacting.settle()
    assert outside.sent == []
    api.upsert("Acme", **DOWN)
    reacting.settle()
    [payload] = outside.told("alert.fired")
    assert payload["data"]["rule"] == {"id": rule["id"], "name": "Below 50"}
    [alert] = payload["data"]["alerts"]
    assert (alert["event"], alert["before"], alert["after"]) == ("health_below_threshold", 74, 25)
    assert payload["data"]["mrr_exposed"] == 500
    assert [each["signal"] for each in payload["data"]["moved"]] == ["logins", "adoption"]
    api.upsert("Acme", **DOWN)
    reacting.settle()
    assert len(outside.sent) == 1
    api.upsert("Acme", **UP)
    api.upsert("Acme", **DOWN)
    reacting.settle()
    assert len(outside.told("alert.fired")) == 2


def test_the_same_batch_twice_tells_once(
    api: Api, reacting: Reacting, outside: Outside, hook: str
) -> None:
    a_rule(api, hook, below(), "account_at_risk")
    api.upsert("Acme", **UP)
    api.upsert("Acme", **DOWN)
    records = reacting.records()
    for _ in range(2):
        reacting.react(records)
    reacting.settle()
    [payload] = outside.told("alert.fired")
    assert {alert["event"] for alert in payload["data"]["alerts"]} == {
        "health_below_threshold",
        "account_at_risk",
    }
    ours = [alert for alert in feed(api) if not alert["rule_id"].startswith("builtin")]
    assert len(ours) == 2


def test_an_alert_resolves_when_it_holds_no_more(api: Api, reacting: Reacting, hook: str) -> None:
    rule = a_rule(api, hook, below())
    api.upsert("Acme", **UP)
    api.upsert("Acme", **DOWN)
    reacting.settle()
    assert len(feed(api, rule_id=rule["id"])) == 1
    api.upsert("Acme", **UP)
    reacting.settle()
    assert feed(api, rule_id=rule["id"]) == []
    [closed] = feed(api, rule_id=rule["id"], state="closed")
    assert closed["state"] == "resolved"


def test_the_feed_is_sorted_by_priority_and_counted(api: Api, reacting: Reacting) -> None:
    for name, mrr, adoption in (("Small", 10, 10), ("Large", 900, 10), ("Mild", 5000, 40)):
        api.upsert(name, mrr=mrr, adoption=adoption)
    reacting.settle()
    reply = api.get("list_alerts", sort="priority", category="health", summary=True)
    assert [each["customer"]["name"] for each in reply.data] == ["Large", "Small", "Mild"]
    assert [each["severity"] for each in reply.data] == ["critical", "critical", "warning"]
    summary = reply.body["summary"]
    assert (summary["count"], summary["customers"], summary["mrr_exposed"]) == (3, 3, 5910)
    assert summary["by_severity"]["critical"] == 2
    [second] = api.get("list_alerts", sort="customer", category="health", limit=1, offset=1).data
    assert second["customer"]["name"] == "Mild"


def test_snoozed_dismissed_and_woken(api: Api, reacting: Reacting) -> None:
    api.upsert("Acme", adoption=10)
    reacting.settle()
    ids = [each["id"] for each in feed(api)]
    assert ids
    snoozed = api.post("snooze_alerts", {"ids": ids, "days": 7})
    assert snoozed.body["changed"] == len(ids)
    assert api.get("list_alerts").body["message"] == "All clear: no open alerts."
    assert len(feed(api, state="snoozed")) == len(ids)
    api.later(days=7, seconds=1)
    assert [each["id"] for each in feed(api)] == ids
    api.post("dismiss_alerts", {"ids": ids})
    assert feed(api) == []
    assert {each["state"] for each in feed(api, state="closed")} == {"dismissed"}
    api.post("wake_alerts", {"ids": [*ids[:1], "nobody_1"]})
    assert [each["id"] for each in feed(api)] == ids[:1]


def test_a_dismissed_alert_comes_back_as_another_at_the_next_crossing(
    api: Api, reacting: Reacting, hook: str
) -> None:
    rule = a_rule(api, hook, below())
    api.upsert("Acme", **DOWN)
    reacting.settle()
    [first] = feed(api, rule_id=rule["id"])
    api.post("dismiss_alerts", {"ids": first["id"]})
    api.upsert("Acme", **UP)
    api.upsert("Acme", **DOWN)
    reacting.settle()
    [second] = feed(api, rule_id=rule["id"])
    assert second["id"] != first["id"]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"name": "x"}, "events"),
        ({"events": ["account_at_risk"]}, "name"),
        ({"name": "x", "events": ["nonsense"]}, "events"),
        ({"name": "x", "events": [{"type": "no_contact", "threshold": 3}]}, "events"),
        ({"name": "x", "events": ["account_at_risk"], "connections": ["none"]}, "connections"),
        ({"name": "x", "events": ["account_at_risk"], "schedule": {"type": "daily", "at": "9"}},
         "schedule"),
        ({"name": "x", "events": ["account_at_risk"],
          "schedule": {"type": "daily", "time_zone": "Mars/Base"}}, "schedule"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_by_name(api: Api, data: Any, field: str) -> None:
    reply = api.post("put_alert_rule", data)
    assert reply.status == 400
    assert field in reply.refused


def test_a_rule_is_changed_by_what_was_sent_alone(api: Api, hook: str) -> None:
    made = a_rule(api, hook, below(40), managers=["Dana"], cooldown_hours=3)
    put = api.post("put_alert_rule", {"id": made["id"], "name": "Renamed"}).data
    assert put == made | {"name": "Renamed", "version": 2, "updated_at": put["updated_at"]}
    again = api.post("put_alert_rule", {"id": made["id"], "name": "Renamed"})
    assert again.body["unchanged"] is True
    late = api.post("put_alert_rule", {"id": made["id"], "name": "Late", "if_version": 1})
    assert (late.status, late.code) == (409, "version_conflict")


def test_a_built_in_rule_is_switched_off_and_on(api: Api, reacting: Reacting) -> None:
    api.post("toggle_alert_rule", {"id": "builtin_health", "enabled": False})
    api.upsert("Acme", adoption=10)
    reacting.settle()
    assert "builtin_health" not in {each["rule_id"] for each in feed(api)}
    rules = {each["id"]: each["enabled"] for each in api.get("list_alert_rules").data}
    assert rules["builtin_health"] is False
    api.post("toggle_alert_rule", {"id": "builtin_health", "enabled": True})
    api.upsert("Bolt", adoption=10)
    reacting.settle()
    assert "builtin_health" in {each["rule_id"] for each in feed(api)}


def test_a_custom_rule_is_one_text_however_it_is_written(
    api: Api, reacting: Reacting, outside: Outside, hook: str
) -> None:
    text = "health_score < 40 AND tier = 'enterprise' AND renewal_within <= 60"
    terms = [
        {"field": "Health Score", "operator": "<", "value": 40},
        {"field": "tier", "operator": "=", "value": "Enterprise"},
        {"field": "renewal_within", "operator": "<=", "value": "60"},
    ]
    rules = [
        api.post("put_custom_rule", {"name": f"Risk {n}", "when": when, "connections": [hook]}).data
        for n, when in enumerate((text, terms))
    ]
    assert [rule["when"] for rule in rules] == [text, text]
    api.upsert("Acme", tier="enterprise", adoption=30, months_to_renewal=1)
    reacting.settle()
    assert len(outside.told("alert.fired")) == 2
    bad = api.post("put_custom_rule", {"name": "Bad", "when": "health_scor < 40"})
    assert "health_score" in str(bad.body["errors"])
