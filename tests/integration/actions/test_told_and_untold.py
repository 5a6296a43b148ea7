"""What must be told although something else is in the way, and what must not be told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, Reacting, Sent, received
from tests.integration.actions.test_alerts import (
    DOWN,
    UP,
    a_connection,
    a_rule,
    below,
    feed,
)
from tests.integration.actions.test_decay import born, ticked

from vitals.domain.delivery import RETRY, Attempt


def falls(api: Api, *names: str) -> None:
    for name in names:
        api.upsert(name, **UP)
        api.upsert(name, **DOWN)


def names(payload: Any) -> list[str]:
    return [each["customer"]["name"] for each in payload["data"]["alerts"]]


def test_one_event_that_is_never_answered_keeps_no_other_waiting_for_long(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())

    def poison(sent: Sent) -> Attempt:
        if sent.payload["data"]["customer"]["name"] == "Poison":
            return Attempt(at=sent.at, verdict=RETRY, error="no answer came")
        return received(sent)

    outside.verdict = poison
    falls(api, "Poison")
    reacting.settle()
    for _ in range(40):
        reacting.tick(minutes=30)
    falls(api, "Good")
    reacting.settle()
    reacting.tick(minutes=5)
    reacting.tick(minutes=5)
    told = [each.payload["data"]["customer"]["name"] for each in outside.sent]
    assert told.count("Good") == 1


def test_a_filter_about_a_signal_that_is_gone_silences_nobody_else(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_connection(api, "odd", events=["*"], condition="seats < 3")
    a_rule(api, a_connection(api), below())
    falls(api, "Acme")
    reacting.settle()
    assert [each.connection.id for each in outside.sent] == ["hook"]


def test_an_alert_has_as_many_receivers_as_it_likes(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    ids = [a_connection(api, f"hook{n}") for n in range(60)]
    a_rule(api, ids[0], below(), connections=ids)
    falls(api, "Acme")
    reacting.settle()
    assert sorted(each.connection.id for each in outside.sent) == sorted(ids)
    assert len({each.payload["id"] for each in outside.sent}) == 1


def test_two_managers_on_one_channel_each_have_their_summary(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    hook = a_connection(api)
    for manager in ("Dana", "Sam"):
        api.post("put_manager", {"name": manager, "connections": [hook]})
    daily = {"type": "daily", "at": "09:00"}
    a_rule(api, hook, below(), connections=[], to_manager=True, schedule=daily)
    api.upsert("A", manager="Dana", **UP)
    api.upsert("B", manager="Sam", **UP)
    falls(api, "A", "B")
    reacting.settle()
    reacting.tick(days=1)
    assert sorted(names(payload) for payload in outside.told("alert.digest")) == [["A"], ["B"]]


def test_a_summary_names_nobody_in_the_trash_and_goes_with_whoever_is_erased(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below(), schedule={"type": "daily", "at": "09:00"})
    falls(api, "Kept", "Trashed", "Erased")
    reacting.settle()
    api.post("delete_customer", {"name": "Trashed"})
    reacting.settle()
    reacting.tick(days=1)
    [digest] = outside.told("alert.digest")
    assert sorted(names(digest)) == ["Erased", "Kept"]
    [listed] = api.get("list_deliveries", event_type="alert.digest").data
    api.post("delete_customer", {"name": "Erased", "hard": True})
    reacting.settle()
    assert api.get("get_delivery", id=listed["id"]).status == 404
    assert not [key for key, item in api.stored().items() if "Erased" in str(item.get("doc"))]


def test_a_customer_that_comes_back_has_its_alerts_again_untold(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    hook = a_connection(api)
    rule = a_rule(api, hook, {"type": "renewal_approaching"}, {"type": "no_contact"})
    renewal = (api.clock.now + timedelta(days=10)).date().isoformat()
    api.upsert("Acme", days=20, renewal_date=renewal)
    reacting.settle()
    before = {each["event"] for each in feed(api, rule_id=rule["id"])}
    assert before == {"renewal_approaching", "no_contact"}
    api.later(minutes=1)
    api.post("delete_customer", {"name": "Acme"})
    reacting.settle()
    assert feed(api, rule_id=rule["id"]) == []
    api.later(minutes=1)
    api.post("restore_customer", {"name": "Acme"})
    records = reacting.records()
    for _ in range(2):
        reacting.react(records)
        reacting.settle()
        assert {each["event"] for each in feed(api, rule_id=rule["id"])} == before
    assert len(outside.told("alert.fired")) == 1


def test_a_day_that_a_new_time_zone_skips_is_told(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    born(api)
    a_rule(api, a_connection(api), {"type": "renewal_approaching", "days": 30})
    renewal = (api.clock.now + timedelta(days=31)).date().isoformat()
    api.upsert("Acme", adoption=50, renewal_date=renewal)
    reacting.settle()
    api.post("update_config", {"time_zone": "Pacific/Auckland"})
    api.run_jobs()
    reacting.settle()
    for _ in range(3):
        reacting.tick(minutes=20)
    told = [*outside.told("alert.fired"), *outside.told("alert.digest")]
    assert len(told) == 1
    api.later(days=1)
    ticked(api)
    api.run_jobs()
    reacting.settle()
    assert len([*outside.told("alert.fired"), *outside.told("alert.digest")]) == 1


def test_a_score_that_somebody_asked_for_is_told_at_once(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())
    api.upsert("Acme", **DOWN, score=90)
    reacting.settle()
    api.post("score_customer", {"name": "Acme"})
    reacting.settle()
    assert len(outside.told("alert.fired")) == 1


def test_subscribers_hear_of_summaries_escalations_and_given_up_receivers(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    above, hook = a_connection(api, "above"), a_connection(api)
    a_connection(api, "all", events=["*"])
    escalation = {"after_minutes": 30, "connections": [above]}
    a_rule(api, hook, below(), escalation=escalation)
    a_rule(api, hook, below(), name="Daily", schedule={"type": "daily", "at": "09:00"})
    api.upsert("Acme", adoption=80)
    api.upsert("Acme", adoption=10)
    reacting.settle()
    reacting.tick(minutes=31)
    reacting.tick(days=1)
    heard = [each.payload["type"] for each in outside.sent if each.connection.id == "all"]
    assert {"alert.escalated", "alert.digest", "alert.fired"} <= set(heard)


def test_nothing_from_before_a_built_in_rule_was_switched_on_is_told(
    api: Api, reacting: Reacting
) -> None:
    api.post("toggle_alert_rule", {"id": "builtin_health", "enabled": False})
    api.upsert("Acme", **UP)
    api.upsert("Acme", adoption=10)
    late = reacting.records()
    api.later(minutes=1)
    api.post("toggle_alert_rule", {"id": "builtin_health", "enabled": True})
    reacting.react(late)
    reacting.settle()
    assert feed(api, rule_id="builtin_health") == []


def test_a_late_retry_of_a_verb_undoes_nothing(api: Api, reacting: Reacting) -> None:
    api.upsert("Acme", adoption=10)
    reacting.settle()
    ids = [each["id"] for each in feed(api)]
    first = api.post("dismiss_alerts", {"ids": ids}, idempotency_key="k1")
    api.post("wake_alerts", {"ids": ids})
    again = api.post("dismiss_alerts", {"ids": ids}, idempotency_key="k1")
    assert (again.body, again.headers["idempotency-replayed"]) == (first.body, "true")
    assert [each["id"] for each in feed(api)] == ids
    other = api.post("wake_alerts", {"ids": ids[:1]}, idempotency_key="k1")
    assert (other.status, other.code) == (422, "idempotency_key_reused")


def test_an_escalation_waits_for_the_end_of_a_snooze(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    above = a_connection(api, "above")
    escalation = {"after_minutes": 30, "connections": [above]}
    rule = a_rule(api, above, below(), connections=[], escalation=escalation)
    api.upsert("Acme", adoption=10)
    reacting.settle()
    [alert] = feed(api, rule_id=rule["id"])
    api.post("snooze_alerts", {"ids": alert["id"], "days": 1})
    reacting.tick(minutes=31)
    assert outside.told("alert.escalated") == []
    reacting.tick(days=1)
    assert len(outside.told("alert.escalated")) == 1


def test_a_rule_that_is_changed_off_or_gone_says_nothing_any_more(
    api: Api, reacting: Reacting
) -> None:
    hook = a_connection(api)
    changed, off, gone, kept = (
        a_rule(api, hook, below(), name=name) for name in ("Changed", "Off", "Gone", "Kept")
    )
    falls(api, "Acme")
    reacting.settle()
    api.post("put_alert_rule", {"id": changed["id"], "events": [below(20)]})
    api.post("toggle_alert_rule", {"id": off["id"], "enabled": False})
    api.post("delete_alert_rule", {"id": gone["id"]})
    api.post("toggle_alert_rule", {"id": "builtin_health", "enabled": False})
    api.run_jobs()
    left = {each["rule_name"] for each in feed(api)}
    assert "Kept" in left
    assert left.isdisjoint({"Changed", "Off", "Gone", "Health at risk"})
    assert kept["name"] == "Kept"


def test_what_holds_no_more_is_not_woken(api: Api, reacting: Reacting) -> None:
    rule = a_rule(api, a_connection(api), below())
    falls(api, "Acme")
    reacting.settle()
    [alert] = feed(api, rule_id=rule["id"])
    api.post("dismiss_alerts", {"ids": alert["id"]})
    api.upsert("Acme", **UP)
    reacting.settle()
    assert api.post("wake_alerts", {"ids": alert["id"]}).body["changed"] == 0
