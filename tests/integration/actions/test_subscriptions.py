"""Webhook subscriptions and REST hooks: what they hear of, of whom, and how they end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, Reacting

from vitals.domain.delivery import GONE, Attempt

URL = "https://example.com/in/s3cr3t"
HOOK = "https://hooks.zapier.com/hooks/standard/12/abcdef/"
HEALTHY = {"logins": 30, "adoption": 90, "nps": 10}
SICK = {"logins": 0, "adoption": 0, "nps": 0}


def put(api: Api, **fields: Any) -> Any:
    reply = api.post("put_webhook_subscription", {"url": URL, "events": "*", **fields})
    assert reply.status == 200, reply.body
    return reply.data


def listed(api: Api) -> list[Any]:
    found: list[Any] = api.get("list_webhook_subscriptions").data
    return found


def types(outside: Outside) -> list[str]:
    return [each.payload["type"] for each in outside.sent]


def test_a_subscription_answers_its_secret_once(api: Api) -> None:
    made = put(api, events="health.dropped, customer.created", owner="anna@example.com")
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert (made["kind"], made["name"]) == ("webhook", "example.com")
    assert made["events"] == ["customer.created", "health.dropped"]
    assert listed(api) == [made]
    assert api.get("list_connections").data == [made]


def test_a_webhook_without_events_is_no_subscription(api: Api) -> None:
    given = {"name": "Rules alone", "kind": "webhook", "url": URL}
    made = api.post("put_connection", given).data
    assert listed(api) == []
    put(api, id=made["id"], events=["model.changed"])
    assert [each["id"] for each in listed(api)] == [made["id"]]


def test_it_hears_of_its_events_alone(reacting: Reacting, outside: Outside) -> None:
    made = put(reacting.api, events=["customer.created"])
    reacting.api.upsert("Acme", **HEALTHY)
    reacting.api.upsert("Acme", **SICK)
    reacting.settle()
    assert types(outside) == ["customer.created"]
    assert outside.sent[0].secrets.secret == made["secret"]
    assert outside.sent[0].secrets.url == URL


@pytest.mark.parametrize(
    "given",
    [
        "tier = 'enterprise'",
        {"field": "tier", "operator": "=", "value": "enterprise"},
        {"any": [{"all": [{"field": "tier", "operator": "=", "value": "enterprise"}]}]},
    ],
)
def test_it_hears_of_the_customers_of_its_filter_alone(
    reacting: Reacting, outside: Outside, given: object
) -> None:
    made = put(reacting.api, events="customer.created", filter=given)
    assert made["filter"] == "tier = 'enterprise'"
    reacting.api.upsert("Small", tier="smb")
    reacting.api.upsert("Large", tier="enterprise")
    reacting.settle()
    assert [each.payload["data"]["customer"]["name"] for each in outside.sent] == ["Large"]
    assert put(reacting.api, id=made["id"], filter=None)["filter"] is None


def test_a_filter_may_ask_for_a_signal_of_the_own_model(api: Api) -> None:
    signals = {"seats": {"weight": 0, "curve": {"type": "linear", "zero": 0, "full": 10}}}
    assert api.post("update_config", {"signals": signals}).status == 200
    api.restart()
    assert put(api, filter="seats > 5")["filter"] == "seats > 5"


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"events": None}, {"events": "required"}),
        ({"events": []}, {"events": "required"}),
        ({"events": "customer.exploded"}, {"events": "unknown_value"}),
        ({"url": None}, {"url": "required"}),
        ({"url": "https://169.254.169.254/latest"}, {"url": "refused_address"}),
        ({"url": "https://[::ffff"}, {"url": "refused_address"}),
        ({"filter": "tier ="}, {"filter": "bad_condition"}),
        ({"filter": {"any": []}}, {"filter.any": "bad_condition"}),
        ({"filter": 7}, {"filter": "bad_condition"}),
    ],
)
def test_what_nobody_could_hear_of_is_refused(api: Api, fields: Any, refused: Any) -> None:
    reply = api.post("put_webhook_subscription", {"url": URL, "events": "*", **fields})
    assert reply.refused == refused
    assert listed(api) == []


def test_only_what_was_sent_changes(api: Api) -> None:
    made = put(api, events="customer.created", filter="mrr > 5", description="for the warehouse")
    changed = put(api, id=made["id"], events=["customer.deleted"], url=None)
    assert (changed["events"], changed["filter"]) == (["customer.deleted"], "mrr > 5")
    assert (changed["description"], changed["name"]) == ("for the warehouse", "example.com")
    assert "secret" not in changed
    reply = api.post("put_webhook_subscription", {"id": made["id"], "filter": "mrr  >  5.0"})
    assert reply.body["unchanged"] is True


def test_one_that_is_off_hears_of_nothing(reacting: Reacting, outside: Outside) -> None:
    api = reacting.api
    made = put(api, events="customer.created")
    given = {"id": made["id"], "active": False}
    assert api.post("toggle_webhook_subscription", given).data["enabled"] is False
    api.upsert("Acme")
    reacting.settle()
    api.post("toggle_webhook_subscription", {**given, "active": True})
    api.upsert("Initech")
    reacting.settle()
    assert [each.payload["data"]["customer"]["name"] for each in outside.sent] == ["Initech"]


def test_only_a_webhook_is_a_subscription(api: Api) -> None:
    given = {"name": "Slack", "kind": "slack", "url": URL}
    made = api.post("put_connection", given).data
    for action, fields in (
        ("put_webhook_subscription", {"events": "*"}),
        ("toggle_webhook_subscription", {"active": False}),
        ("delete_webhook_subscription", {}),
        ("unsubscribe", {}),
    ):
        reply = api.post(action, {"id": made["id"], **fields})
        assert (reply.status, reply.code) == (404, "connection_not_found"), action
    assert api.get("list_connections").body["count"] == 1


def test_a_deleted_one_is_gone(api: Api) -> None:
    made = put(api)
    assert api.post("delete_webhook_subscription", {"id": made["id"]}).status == 200
    assert listed(api) == []
    assert api.post("delete_webhook_subscription", {"id": made["id"]}).status == 404


@pytest.mark.parametrize("field", ["target_url", "hookUrl", "hook_url"])
def test_a_rest_hook_is_subscribed_and_taken_back(
    reacting: Reacting, outside: Outside, field: str
) -> None:
    api = reacting.api
    made = api.post("subscribe", {field: HOOK, "event": "health.changed"})
    assert (made.body["id"], made.data["transient"]) == (made.data["id"], True)
    assert made.data["name"] == "hooks.zapier.com health.changed"
    api.upsert("Acme", **HEALTHY)
    reacting.settle()
    assert types(outside) == ["health.changed"]
    gone = api.post("unsubscribe", {"id": made.body["id"]}).body
    assert (gone["data"]["deleted"], gone["already_deleted"]) == (True, False)
    again = api.post("unsubscribe", {"id": made.body["id"]})
    assert (again.status, again.body["already_deleted"]) == (200, True)
    api.upsert("Acme", **SICK)
    reacting.settle()
    assert len(outside.sent) == 1


def test_a_rest_hook_that_answers_410_is_removed_and_its_name_free(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    hook = {"target_url": HOOK, "event": "customer.created"}
    api.post("subscribe", hook)
    outside.verdict = lambda sent: Attempt(at=sent.at, verdict=GONE, status=410)
    api.upsert("Acme")
    reacting.settle()
    assert listed(api) == []
    assert api.post("subscribe", hook).data["name"] == "hooks.zapier.com customer.created"


def test_a_refused_rest_hook_names_the_field_that_was_sent(api: Api) -> None:
    reply = api.post("subscribe", {"hookUrl": "http://example.com/x", "event": "*"})
    assert reply.refused == {"target_url": "refused_address"}
    assert set(api.post("subscribe", {}).refused) == {"target_url", "event"}


def test_hooks_subscribed_at_once_are_all_kept(api: Api) -> None:
    hook = {"target_url": HOOK, "event": "customer.created"}
    with ThreadPoolExecutor(3) as writers:
        replies = list(writers.map(lambda _: api.post("subscribe", hook), range(3)))
    assert [reply.status for reply in replies] == [200, 200, 200]
    name = "hooks.zapier.com customer.created"
    assert [each["name"] for each in listed(api)] == [name, f"{name} 2", f"{name} 3"]


def test_a_repeated_subscribe_is_the_first(api: Api) -> None:
    hook = {"target_url": HOOK, "event": "customer.created"}
    first = api.post("subscribe", hook, idempotency_key="zap")
    again = api.post("subscribe", hook, idempotency_key="zap")
    assert (again.body["id"], "secret" in again.data) == (first.body["id"], False)
    assert len(listed(api)) == 1


def test_a_sample_is_the_newest_that_was_sent(api: Api, reacting: Reacting) -> None:
    asked = {"type": "customer.created"}
    [example] = api.post("sample_events", asked).body
    assert example["tenant_id"] == api.tenant.id
    api.post("subscribe", {"target_url": "https://example.com/hook", "event": "customer.created"})
    for name in ("Acme", "Bolt"):
        api.later(seconds=1)
        api.upsert(name)
        reacting.settle()
    found = api.post("sample_events", {**asked, "limit": 1}).body
    assert [each["data"]["customer"]["name"] for each in found] == ["Bolt"]
