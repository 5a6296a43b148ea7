"""preview_alert_rule: what a rule would have fired is what it fires (PLUS-10)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Reacting
from tests.integration.actions.test_alerts import a_connection, a_rule, below
from tests.integration.actions.test_decay import born, turn
from tests.integration.actions.test_job_runs import hurried
from tests.integration.actions.test_redrive import grown

import jobs
from vitals.domain.builtin_rules import BUILT_IN
from vitals.domain.instants import iso
from vitals.runtime.wiring import wiring
from vitals.usecases import preview_rule

SHOWN = ("customer_id", "event", "before", "after", "message")
QUIET = {"type": "no_contact", "max_days": 10}
RENEWAL = {"type": "renewal_approaching", "days": 30}


def raised(api: Api, rule_id: str) -> list[Any]:
    """Return what a rule raised, as a preview shows it, the newest first."""
    found = [
        {
            **{name: getattr(alert, name) for name in SHOWN},
            "name": alert.customer["name"],
            "at": iso(alert.at),
        }
        for customer in wiring().customers.roster(api.tenant)
        for alert in wiring().outbound.alerts.of_customer(api.tenant.id, customer.id)
        if alert.rule_id == rule_id
    ]
    return in_order(found)


def in_order(examples: list[Any]) -> list[Any]:
    return sorted(examples, key=lambda each: (each["at"], each["customer_id"], each["event"]))


def previewed(api: Api, **asked: Any) -> Any:
    reply = api.post("preview_alert_rule", asked)
    assert (reply.status, reply.body.get("job_id")) == (200, None), reply.body
    return reply.data


@pytest.mark.parametrize("seed", range(2))
def test_a_preview_is_what_the_rule_fired(
    api: Api, reacting: Reacting, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("vitals.domain.firing.MOST_EXAMPLES", 500)
    grown(api, reacting, seed + 10)
    stored = [*api.get("list_alert_rules").data, *api.get("list_custom_rules").data]
    fired = 0
    for rule in stored:
        before = api.stored()
        found = previewed(api, id=rule["id"])
        assert api.stored() == before
        real = raised(api, rule["id"])
        assert in_order(found["examples"]) == real, rule["name"]
        assert found["count"] == len(real)
        assert found["by_event"] == dict(Counter(each["event"] for each in real))
        assert found["customers"] == len({each["customer_id"] for each in real})
        fired += not rule["built_in"] and len(real)
    assert fired > 10


def test_time_alone_is_previewed_as_it_fires(api: Api, reacting: Reacting) -> None:
    """A gap of months between two writes, with decay in it, then weeks without a write."""
    born(api)
    a_rule(api, a_connection(api), QUIET, RENEWAL, below(95), name="Time")
    renewal = {"renewal_date": "2026-04-20"}
    api.upsert("Acme", logins=30, adoption=100, days=0, **renewal)
    for _ in range(45):
        turn(api, days=1)
        reacting.settle()
    api.upsert("Acme", days=0)
    reacting.settle()
    for _ in range(15):
        turn(api, days=1)
        reacting.settle()
    [rule] = [each for each in api.get("list_alert_rules").data if each["name"] == "Time"]
    found, real = previewed(api, id=rule["id"]), raised(api, rule["id"])
    assert in_order(found["examples"]) == real
    assert found["by_event"] == {"no_contact": 2, "renewal_approaching": 1}
    assert found["by_week"] == {"2026-03-09": 1, "2026-03-16": 1, "2026-04-27": 1}
    assert found["holding"] == 1
    # Of the last weeks alone, and of a rule that nobody has saved.
    recent = previewed(api, events=[QUIET, RENEWAL], days=14)
    assert (recent["count"], recent["by_event"]) == (1, {"no_contact": 1})
    assert [each["at"][:10] for each in recent["examples"]] == ["2026-04-27"]


def test_days_that_another_time_zone_turns_are_previewed_as_they_fire(
    api: Api, reacting: Reacting
) -> None:
    born(api)
    a_rule(api, a_connection(api), {"type": "no_contact", "max_days": 2}, name="Time")
    api.upsert("Acme", logins=30, days=0)
    api.upsert("Bolt", logins=30, days=1)
    for day in range(4):
        if day == 1:
            api.job("update_config", {"time_zone": "Pacific/Auckland"})
        reacting.settle()
        turn(api, days=1)
        reacting.settle()
    [rule] = [each for each in api.get("list_alert_rules").data if each["name"] == "Time"]
    found = in_order(previewed(api, id=rule["id"])["examples"])
    assert found == raised(api, rule["id"])
    # The zone turned Bolt's day, midnight in Auckland that of Acme.
    assert [each["at"] for each in found] == [
        "2026-03-03T12:00:00.000Z", "2026-03-04T11:00:00.000Z",
    ]  # fmt: skip


def test_a_rule_that_is_not_saved_is_previewed_with_its_limits(api: Api) -> None:
    for name, manager in (("Acme", "Ana"), ("Bolt", "Bob")):
        for logins in (30, 10, 14, 10, 30, 5):
            api.later(hours=20)
            api.upsert(name, logins=logins, manager=manager)
    assert previewed(api, events=[below(40)])["count"] == 6
    rearming = previewed(api, events=[below(40, rearm=80)])
    assert (rearming["count"], rearming["customers"], rearming["holding"]) == (4, 2, 2)
    assert previewed(api, events=[below(40)], cooldown_hours=72)["count"] == 4
    assert previewed(api, events=[below(40)], managers=["ANA"])["customers"] == 1
    custom = previewed(api, when="logins < 12 AND manager = 'bob'")
    assert (custom["count"], custom["holding"], custom["by_event"]) == (3, 1, {"condition": 3})
    [newest, *_] = custom["examples"]
    assert (newest["name"], newest["message"]) == ("Bolt", "Preview began to hold")


def test_changes_to_a_stored_rule_are_previewed_before_they_are_saved(api: Api) -> None:
    rule = a_rule(api, a_connection(api), below(40))
    for logins in (30, 10):
        api.later(hours=1)
        api.upsert("Acme", logins=logins)
    assert previewed(api, id=rule["id"])["count"] == 1
    assert previewed(api, id=rule["id"], events=[below(5)])["count"] == 0
    api.post("toggle_alert_rule", {"id": rule["id"], "enabled": False})
    assert previewed(api, id=rule["id"])["count"] == 1


def test_a_customer_in_the_trash_fires_until_then_and_holds_no_more(api: Api) -> None:
    api.upsert("Acme", logins=2, days=0)
    api.later(hours=1)
    api.post("delete_customer", {"name": "Acme"})
    api.later(days=20)
    found = previewed(api, events=[below(), QUIET])
    assert (found["by_event"], found["holding"]) == ({"health_below_threshold": 1}, 0)


def test_a_large_portfolio_takes_a_job_that_can_be_cut_short(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        api.upsert(f"C{number}", logins=number)
    api.later(minutes=1)
    whole = previewed(api, events=[below(15)])
    assert whole["count"] == 5
    monkeypatch.setattr(preview_rule, "AT_ONCE", 6)
    other = api.another_key("health:write", "health:read")
    job_id = other.post("preview_alert_rule", {"events": [below(15)]}).body["job_id"]
    runs = 0
    while messages := api.queued():
        runs += 1
        assert runs < 9
        with monkeypatch.context() as patch:
            hurried(api, patch, 3)
            jobs.handler({"Records": messages}, api.context)
    job = api.get("get_job", id=job_id).data
    assert (job["kind"], job["state"], runs > 1) == ("preview_rule", "done", True)
    assert job["result"] == whole
    waiting = other.post("preview_alert_rule", {"events": [below(15)]}).body["job_id"]
    assert other.post("cancel_job", {"id": waiting}).status == 200


@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        ({}, "events", "required"),
        ({"events": ["account_at_risk"], "when": "nps < 3"}, "events", "required"),
        ({"when": "nps <"}, "when.6", "bad_condition"),
        ({"id": next(iter(BUILT_IN)), "events": ["account_at_risk"]}, "id", "built_in"),
        ({"events": ["account_at_risk"], "days": 367}, "days", "out_of_range"),
    ],
)
def test_what_cannot_be_previewed_is_refused(
    api: Api, asked: dict[str, Any], field: str, code: str
) -> None:
    assert api.post("preview_alert_rule", asked).refused == {field: code}


def test_a_rule_that_there_is_not_is_not_found(api: Api) -> None:
    assert api.post("preview_alert_rule", {"id": "nope"}).status == 404
