"""What time alone does: half a year without a call, day by day, on the local clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, Reacting
from tests.integration.actions.test_alerts import a_connection, a_rule, feed
from tests.integration.actions.test_decay import born, ticked

MIDDLE = {"logins": 15, "adoption": 60, "tickets": 2, "nps": 7, "growth": "mild"}


@pytest.fixture
def clocked(api: Api) -> Api:
    return born(api)


def pass_days(api: Api, reacting: Reacting, count: int) -> None:
    """Let days pass, each with its midnight's run and all that follows from it."""
    for _ in range(count):
        api.later(days=1)
        ticked(api)
        api.run_jobs()
        reacting.settle()
        reacting.tick(minutes=0)


def test_the_middle_of_everything_decays_to_watch_with_every_step_told(
    clocked: Api, reacting: Reacting, outside: Outside
) -> None:
    """GV-10 becomes GV-11 by passing time alone."""
    hook = a_connection(clocked, events=["health.changed"])
    made = clocked.upsert("Middle", **MIDDLE, days=30)
    assert (made["score"], made["score_exact"]) == (58, 57.8333)
    reacting.settle()
    outside.sent.clear()
    pass_days(clocked, reacting, 150)

    found = clocked.customer(name="Middle")
    assert (found["score"], found["score_exact"], found["status"]) == (50, 49.5, "watch")
    changes = clocked.get("list_changes", cause="decay", order="asc").data
    steps = [(each["old"]["score"], each["new"]["score"]) for each in changes]
    assert steps == [(score, score - 1) for score in range(58, 50, -1)]
    told = outside.told("health.changed")
    assert [each["data"]["score"]["after"] for each in told] == list(range(57, 49, -1))
    assert all(each["data"]["score"]["moved"][0]["signal"] == "days" for each in told)
    assert {each.connection.id for each in outside.sent} == {hook}


def test_silence_and_renewal_are_told_without_a_write(
    clocked: Api, reacting: Reacting, outside: Outside
) -> None:
    hook = a_connection(clocked)
    renewal = (clocked.clock.now + timedelta(days=40)).date().isoformat()
    a_rule(clocked, hook, {"type": "no_contact"}, {"type": "renewal_approaching"})
    clocked.upsert("Acme", logins=20, days=0, renewal_date=renewal)
    reacting.settle()
    pass_days(clocked, reacting, 9)
    clocked.upsert("Acme", note="asked for an invoice")
    reacting.settle()
    assert outside.sent == []
    pass_days(clocked, reacting, 6)

    told = [
        (alert["event"], alert["message"])
        for payload in outside.told("alert.fired")
        for alert in payload["data"]["alerts"]
    ]
    day = clocked.customer(name="Acme")["last_contact_on"]
    assert told == [
        ("renewal_approaching", f"Renews in 30 days, on {renewal}"),
        ("no_contact", f"No contact for 15 days, since {day}"),
    ]
    pass_days(clocked, reacting, 3)
    assert len(outside.told("alert.fired")) == 2
    assert {alert["event"] for alert in feed(clocked)} >= {"renewal_approaching", "no_contact"}
