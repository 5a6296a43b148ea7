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
