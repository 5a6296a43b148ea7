"""The requests whose costs are measured: every action, in the cases that cost differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ACME = {
    "name": "Acme Corp",
    "mrr": 5000,
    "logins": 22,
    "adoption": 75,
    "tickets": 1,
    "tier": "mid",
    "manager": "Sarah",
}
"""The documented example."""

SINCE = {"updated_since": "2020-01-01"}
ID = {"id": "data.id"}
Asked = tuple[str, Mapping[str, Any]] | tuple[str, Mapping[str, Any], Mapping[str, str]]
"""An action and its parameters; the third part is as a scenario's *takes*."""
SETTLED: Asked = ("", {})
"""No request: what follows from all that was written follows."""


@dataclass(frozen=True)
class Scenario:
    """One request, described, and the requests that make the table ready for it.

    *takes* are the parameters that the answer to the last of those gives, each by its path there.
    """

    what: str
    action: str
    data: Mapping[str, Any] = field(default_factory=dict)
    before: Sequence[Asked] = ()
    key: str = ""
    takes: Mapping[str, str] = field(default_factory=dict)


def named(name: str, **fields: object) -> dict[str, Any]:
    """Return the documented example under *name*, with *fields* changed."""
    return {**ACME, "name": name, **fields}


def made(name: str, **fields: object) -> Asked:
    """Return the request that makes the documented example under *name*."""
    return "upsert_account", named(name, **fields)


def _of(what: str, action: str, name: str, /, **data: object) -> Scenario:
    """Return *action* on a new customer, by its id."""
    return Scenario(what, action, data, [made(name)], takes=ID)


def _again(what: str, action: str, name: str) -> Scenario:
    """Return *action* on a customer that an earlier scenario left, by its id."""
    found = ("get_customer", {"name": name, "include_deleted": True})
    return Scenario(what, action, {}, [found], takes=ID)


LARGER = {"customers": [named(f"Customer {n:04}") for n in range(201)]}
"""So many that a rule over them is previewed by a job."""


def _batch(first: int, **fields: object) -> dict[str, Any]:
    return {"customers": [named(f"Customer {n:04}", **fields) for n in range(first, first + 100)]}


LISTS = (
    Scenario("100 of 1,000 by `updated_at`", "list_customers", {"limit": 100, **SINCE}),
    Scenario("100 of 1,000 by `score`", "list_customers", {"limit": 100, "sort": "score"}),
    Scenario("the newest 100", "list_changes", {"limit": 100}),
    Scenario("of one customer", "list_changes", {"customer": "Customer 0007"}),
    Scenario("of 1,000", "get_distribution"),
)
"""What is asked of a tenant with a portfolio of 1,000."""

CUSTOMERS = (
    Scenario("", "whoami"),
    Scenario("", "list_actions"),
    _of("by id", "get_customer", "A1"),
    Scenario("by name or external_id", "get_customer", {"name": "A2"}, [made("A2")]),
    _of("one change", "get_history", "A3"),
    Scenario("creates", "upsert_account", named("B1")),
    Scenario("creates, with external_id", "upsert_account", named("B2", external_id="b2")),
    _of("a signal, by id", "upsert_account", "B3", logins=28),
    Scenario("a signal, by name", "upsert_account", {"name": "B4", "logins": 28}, [made("B4")]),
    _of("revenue, by id", "upsert_account", "B5", mrr=6000),
    _of("renames", "upsert_account", "B6", name="B6 Ltd"),
    Scenario("unchanged, by name", "upsert_account", named("B7"), [made("B7")]),
    _of("unchanged, no signal", "upsert_account", "B8", mrr=5000),
    _of("dry run", "upsert_account", "B9", mrr=1, dry_run=True),
    Scenario("under an Idempotency-Key", "upsert_account", {"logins": 1},
             [made("C1")], "c1", ID),
    Scenario("the same key again", "upsert_account", {"logins": 1},
             [("get_customer", {"name": "C1"})], "c1", ID),
    Scenario("by name", "update_health", {"name": "C2", "field": "logins", "value": 28},
             [made("C2")]),
    _of("by id", "log_contact", "C3", channel="call"),
    Scenario("override cleared, by id", "score_customer", {}, [made("C4", score=40)], takes=ID),
    _of("nothing to clear, by id", "score_customer", "C5"),
    _of("by id", "delete_customer", "C6"),
    _again("again", "delete_customer", "C6"),
    _again("by id", "restore_customer", "C6"),
    Scenario("for good, 2 versions", "delete_customer", {"hard": True},
             [made("C7"), made("C7", logins=1)], takes=ID),
    Scenario("100 new", "batch_upsert", _batch(5000)),
    Scenario("100 changed", "batch_upsert", _batch(5000, logins=1)),
    Scenario("100 unchanged", "batch_upsert", _batch(5000, logins=1)),
)  # fmt: skip
"""What needs no more than one customer."""

_RESCORE: Asked = ("rescore_all", {})
_KEY = {"name": "sync", "scopes": ["customers:read"]}
_PROFILE = {
    "name": "enterprise", "weights": {"logins": 50, "adoption": 50}, "rescore": False,
}  # fmt: skip

ADMINISTRATION = (
    Scenario("", "get_config"),
    Scenario("a model, with its job", "update_config", {"quiet_after": 10}),
    Scenario("a limit", "update_config", {"limits": {"reads": 500}}),
    Scenario("unchanged", "update_config", {"limits": {"reads": 500}}),
    Scenario("dry run, with its job", "update_config", {"quiet_after": 20, "dry_run": True}),
    Scenario("a few", "list_models"),
    Scenario("", "get_model", {"version": 1}),
    Scenario("with its job", "restore_model", {"version": 1}),
    Scenario("a few", "list_config_history"),
    Scenario("without a job", "put_profile", _PROFILE),
    Scenario("", "list_profiles"),
    Scenario("counted over 100 customers", "list_profiles", {"count": True}),
    Scenario("100 customers looked through", "delete_profile",
             {"name": "enterprise", "rescore": False}),
    Scenario("", "rescore_all"),
    Scenario("", "get_job", {}, [_RESCORE], takes={"id": "job_id"}),
    Scenario("a few", "list_jobs"),
    Scenario("", "cancel_job", {}, [_RESCORE], takes={"id": "job_id"}),
    Scenario("", "create_api_key", _KEY),
    Scenario("2 keys, no sandbox's", "list_api_keys"),
    Scenario("of 3 keys", "rotate_api_key", {}, [("create_api_key", _KEY)], takes=ID),
    Scenario("of 5 keys", "revoke_api_key", {}, [("create_api_key", _KEY)], takes=ID),
    Scenario("the newest 50, customers' changes among them", "list_audit"),
    Scenario("the newest 100", "list_requests", {"limit": 100}, [("whoami", {})] * 100),
)  # fmt: skip
"""What an administrator asks of a tenant with 100 customers: it moves the model, so it is last."""

PLATFORM = (
    Scenario("", "create_tenant", {"name": "Another"}),
    Scenario("a few", "list_tenants"),
    Scenario("its name", "update_tenant", {"name": "Renamed"},
             [("create_tenant", {"name": "Named"})], takes={"tenant_id": "data.id"}),
    Scenario("and its sandbox", "suspend_tenant", {}, [("create_tenant", {"name": "Late"})],
             takes={"tenant_id": "data.id"}),
    Scenario("and its sandbox, with their job", "delete_tenant", {"confirm": "Gone"},
             [("create_tenant", {"name": "Gone"})], takes={"tenant_id": "data.id"}),
)  # fmt: skip
"""What whoever runs the platform asks."""

_URL = "https://hooks.example.com/services/T00000000/B00000000"
_HOOK = {"name": "Pager", "kind": "webhook", "url": _URL}
_RULE = {"name": "Below 50", "events": [{"type": "health_below_threshold", "threshold": 50}]}
_CUSTOM = {"name": "Renewal at risk", "when": "health_score < 40 AND renewal_within <= 60"}
_HEARS = {"name": "Warehouse", "url": _URL, "events": "customer.created"}
_REST_HOOK = {"target_url": _URL, "event": "customer.created"}
_ROUTED = {"connections": "data.id"}
_ALERT = {"ids": "data.0.id"}
HOOK: Asked = ("put_connection", _HOOK)
HEARS: Asked = ("put_webhook_subscription", _HEARS)
TEN: Asked = ("batch_upsert", {"customers": [named(f"C{n}", tickets=5) for n in range(10)]})
_SARAH: Asked = ("put_manager", {"name": "Sarah"}, _ROUTED)
_TEN_OPEN: Sequence[Asked] = (TEN, SETTLED)
_ALERTED: Sequence[Asked] = (made("A1", tickets=5), SETTLED, ("list_alerts", {}))
_SENT: Sequence[Asked] = (HEARS, made("D1"), SETTLED, ("list_deliveries", {}))
_FIRST = {"id": "data.0.id"}


def put(action: str, new: Mapping[str, Any], **changed: object) -> tuple[Scenario, ...]:
    """Return what puts *new*, then some of it *changed*, then nothing."""
    there = (action, new)
    return (
        Scenario("new", action, new),
        Scenario("changed", action, changed, [there], takes=ID),
        Scenario("unchanged", action, new, [there], takes=ID),
    )


def toggled(
    action: str, there: Asked, flag: str = "enabled", off: str = "off"
) -> tuple[Scenario, ...]:
    """Return what switches off what *there* puts, described as *off*, and what finds it off."""
    before = (action, {flag: False}, ID)
    return (
        Scenario(off, action, {flag: False}, [there], takes=ID),
        Scenario("unchanged", action, {flag: False}, [there, before], takes=ID),
    )


def _on_alerts(action: str, **data: object) -> tuple[Scenario, ...]:
    """Return *action* on one alert, and on the same one again."""
    again = (action, data, _ALERT)
    return (
        Scenario("one", action, data, _ALERTED, takes=_ALERT),
        Scenario("one, unchanged", action, data, [*_ALERTED, again], takes=_ALERT),
    )


OUTBOUND = (
    Scenario("ten open", "list_alerts", {}, _TEN_OPEN),
    Scenario("ten open, by priority, counted", "list_alerts",
             {"sort": "priority", "summary": True}, _TEN_OPEN),
    Scenario("", "get_alert", {}, _ALERTED, takes=_FIRST),
    *_on_alerts("snooze_alerts", until="2026-03-09"),
    *_on_alerts("dismiss_alerts"),
    Scenario("one that was dismissed", "wake_alerts", {},
             [*_ALERTED, ("dismiss_alerts", {}, _ALERT)], takes=_ALERT),
    *_on_alerts("acknowledge_alerts"),
    Scenario("", "list_alert_rules"),
    *put("put_alert_rule", _RULE, severity="critical"),
    Scenario("new, with its job", "put_alert_rule",
             {**_RULE, "notify_existing": True}, [HOOK], takes=_ROUTED),
    *toggled("toggle_alert_rule", ("put_alert_rule", _RULE), off="off, with its job"),
    Scenario("off, a built-in one, with its job", "toggle_alert_rule",
             {"id": "builtin_tickets", "enabled": False}),
    Scenario("with its job", "delete_alert_rule", {}, [("put_alert_rule", _RULE)], takes=ID),
    Scenario("a few", "list_custom_rules", {}, [("put_custom_rule", _CUSTOM)]),
    *put("put_custom_rule", _CUSTOM, severity="critical"),
    *toggled("toggle_custom_rule", ("put_custom_rule", _CUSTOM), off="off, with its job"),
    Scenario("with its job", "delete_custom_rule", {}, [("put_custom_rule", _CUSTOM)], takes=ID),
    Scenario("of ten customers", "preview_alert_rule", _RULE, [TEN]),
    Scenario("of 201, by a job", "preview_alert_rule", _RULE, [("batch_upsert", LARGER)]),
    Scenario("with its job", "redrive", {"since": "2026-03-02"}),
    Scenario("", "list_event_types"),
    Scenario("an example", "sample_events", {"type": "customer.created"}),
    Scenario("one that was sent", "sample_events", {"type": "customer.created"}, _SENT),
    Scenario("a few", "list_connections", {}, [HOOK]),
    *put("put_connection", _HOOK, description="Of whoever is on call"),
    Scenario("renamed", "put_connection", {"name": "Bleeper"}, [HOOK], takes=ID),
    *toggled("toggle_connection", HOOK),
    Scenario("on", "toggle_connection", {"enabled": True},
             [HOOK, ("toggle_connection", {"enabled": False}, ID)], takes=ID),
    Scenario("", "delete_connection", {}, [HOOK], takes=ID),
    Scenario("that a rule names", "delete_connection", {"force": True},
             [HOOK, ("put_alert_rule", _RULE, _ROUTED)], takes={"id": "data.connections.0"}),
    Scenario("", "test_connection", {}, [HOOK], takes=ID),
    Scenario("under an Idempotency-Key", "test_connection", {}, [HOOK], "t1", ID),
    Scenario("", "rotate_webhook_secret", {}, [HOOK], takes=ID),
    Scenario("a few", "list_webhook_subscriptions", {}, [HEARS]),
    *put("put_webhook_subscription", _HEARS, filter="mrr > 1000"),
    *toggled("toggle_webhook_subscription", HEARS, "active"),
    Scenario("", "delete_webhook_subscription", {}, [HEARS], takes=ID),
    Scenario("", "subscribe", _REST_HOOK),
    Scenario("", "unsubscribe", {}, [("subscribe", _REST_HOOK)], takes=ID),
    Scenario("again", "unsubscribe", {"id": "01KJQ6PSG0000000000000000"}),
    Scenario("a few", "list_managers", {}, [HOOK, _SARAH]),
    Scenario("new", "put_manager", {"name": "Sarah"}, [HOOK], takes=_ROUTED),
    Scenario("unchanged", "put_manager", {"name": "Sarah"}, [HOOK, _SARAH],
             takes={"connections": "data.connections.0"}),
    Scenario("", "delete_manager", {"name": "Sarah"}, [HOOK, _SARAH]),
    Scenario("a few", "list_deliveries", {}, _SENT),
    Scenario("", "get_delivery", {}, _SENT, takes=_FIRST),
    Scenario("", "replay_delivery", {}, _SENT, takes=_FIRST),
)  # fmt: skip
"""What concerns alerts and whom they reach: each on a tenant of its own, whose stream is read."""
