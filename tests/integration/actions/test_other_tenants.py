"""Every action in the hands of another tenant: 404 or nothing, never 403, never data (LU-016)."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.actions.api import Api, Reply
from tests.integration.actions.outside import Reacting

from action_table import ACTIONS
from vitals.domain.access import PLATFORM, SCOPES

MARK = "Hidden"
NOTHING: dict[str, Any] = {}
SILENT = {"unsubscribe", "snooze_alerts", "dismiss_alerts", "wake_alerts", "acknowledge_alerts"}
"""What answers 200 about what it did not find: `already_deleted`, or `not_found` for each id."""


def world(reacting: Reacting) -> dict[str, dict[str, Any]]:
    """Fill a tenant with one of everything, and return what names it, by action."""
    api = reacting.api
    acme = api.upsert(f"{MARK} Corp", external_id="hidden-1", logins=25, mrr=100)["id"]
    hook = {"url": "https://hooks.example/x", "events": "*", "name": f"{MARK} hook"}
    webhook = api.post("put_webhook_subscription", hook).data["id"]
    rule = api.post(
        "put_custom_rule",
        {"name": f"{MARK} rule", "condition": "score < 50", "connections": [webhook]},
    ).data["id"]
    schedule = api.post(
        "put_report_schedule",
        {
            "name": f"{MARK} report",
            "report": "weekly_digest",
            "schedule": {"type": "weekly", "on": "monday", "at": "09:00"},
            "connections": [webhook],
        },
    )
    key = api.post("create_api_key", {"name": f"{MARK} key", "scopes": ["customers:read"]}).data
    job = api.post("rescore_all").body["job_id"]
    profile = api.post("put_profile", {"name": "hidden", "weights": {"logins": 100}})
    assert profile.status == 200, profile.body
    api.upsert(f"{MARK} Corp", logins=1)
    reacting.settle()
    [alert, *_] = api.get("list_alerts").data
    [delivery, *_] = api.get("list_deliveries").data
    api.run_jobs()
    version = api.get("get_config").data["version"]
    customer, rules, hooked = {"id": acme}, {"id": rule}, {"id": webhook}
    off, renamed, alerted = {**rules, "enabled": False}, {**rules, "name": "mine"}, [alert["id"]]
    alerts = {"ids": alerted}
    return {
        **dict.fromkeys(
            (
                "get_customer",
                "get_history",
                "delete_customer",
                "restore_customer",
                "score_customer",
                "log_contact",
                "list_changes",
                "upsert_account",
            ),
            customer,
        ),
        "update_health": {**customer, "field": "mrr", "value": 1},
        "get_model": {"version": version},
        "restore_model": {"version": version},
        "delete_profile": {"name": "hidden"},
        "get_job": {"id": job},
        "cancel_job": {"id": job},
        "get_alert": {"id": alert["id"]},
        "snooze_alerts": {"ids": alerted, "days": 1},
        **dict.fromkeys(("dismiss_alerts", "wake_alerts", "acknowledge_alerts"), alerts),
        **dict.fromkeys(("delete_alert_rule", "delete_custom_rule"), rules),
        **dict.fromkeys(("toggle_alert_rule", "toggle_custom_rule"), off),
        **dict.fromkeys(("put_alert_rule", "put_custom_rule"), renamed),
        **dict.fromkeys(
            (
                "delete_connection",
                "test_connection",
                "rotate_webhook_secret",
                "delete_webhook_subscription",
                "unsubscribe",
            ),
            hooked,
        ),
        "put_connection": {"id": webhook, "name": "mine"},
        "put_webhook_subscription": {"id": webhook, "name": "mine"},
        "toggle_connection": {"id": webhook, "enabled": False},
        "toggle_webhook_subscription": {"id": webhook, "active": False},
        "get_delivery": {"id": delivery["id"]},
        "replay_delivery": {"id": delivery["id"]},
        "delete_manager": {"name": "hidden@vitals.example"},
        "delete_report_schedule": {"id": schedule.data["id"]},
        "toggle_report_schedule": {"id": schedule.data["id"], "enabled": False},
        "put_report_schedule": {"id": schedule.data["id"], "name": "mine"},
        "rotate_api_key": {"id": key["id"]},
        "revoke_api_key": {"id": key["id"]},
        "rescore_all": {"ids": [acme]},
        "list_alerts": {"customer_id": acme},
        "list_deliveries": {"customer_id": acme},
    }


def is_empty(reply: Reply, tenant_id: str) -> bool:
    text = json.dumps(reply.body)
    return MARK not in text and tenant_id not in text


def test_every_action_is_another_tenants_404_or_empty(reacting: Reacting) -> None:
    api = reacting.api
    named = world(reacting)
    other = api.another_tenant().another_key(*SCOPES)
    mine = f"T#{api.tenant.id}"
    before = {key: item for key, item in api.stored().items() if key[0].startswith(mine)}
    for name, action in ACTIONS.items():
        if PLATFORM in action.scopes:
            continue  # another tenant's settings are what the platform's key is for
        reply = other.post(name, named.get(name, NOTHING))
        assert reply.status not in (403, 500), (name, reply.body)
        assert is_empty(reply, api.tenant.id), (name, reply.body)
        listed = name.startswith("list_") or name == "rescore_all"
        if name in named and name not in SILENT and not listed:
            assert reply.status == 404, (name, reply.status, reply.body)
    other.run_jobs()
    after = {key: item for key, item in api.stored().items() if key[0].startswith(mine)}
    assert after == before


def test_every_action_that_takes_an_id_is_asked_for_anothers(reacting: Reacting) -> None:
    """What is not in the table above takes no id, or names what it makes."""
    named = world(reacting)
    with_ids = {
        name
        for name, action in ACTIONS.items()
        if PLATFORM not in action.scopes
        and {"id", "ids", "version"} & action.takes.model_fields.keys()
    }
    assert with_ids - named.keys() <= {"preview_alert_rule"}


def test_every_action_names_the_scope_that_is_missing(api: Api) -> None:
    for name, action in ACTIONS.items():
        for scope in action.scopes:
            lacking = api.another_key(*(each for each in (*SCOPES, PLATFORM) if each != scope))
            reply = lacking.post(name, {})
            assert (reply.status, reply.code) == (403, "forbidden"), (name, reply.body)
            assert reply.body["scope"] == scope, name
