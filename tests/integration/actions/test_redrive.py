"""redrive: what is missing of a range is raised and told, and nothing that is there."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, Reacting
from tests.integration.actions.test_alerts import a_connection, a_rule, below
from tests.integration.actions.test_decay import born, turn
from tests.integration.actions.test_job_runs import hurried

import jobs
from vitals.domain.instants import iso
from vitals.runtime.wiring import wiring
from vitals.storage.alerts import AlertTable

NAMES = ("Acme", "Bolt", "Crux")
DAYS = 9
Stored = Mapping[tuple[str, str], Mapping[str, Any]]


def grown(api: Api, reacting: Reacting, seed: int) -> None:
    """Let a tenant live some days, with rules of every kind, and react to all of it."""
    some = random.Random(seed)  # noqa: S311 - drives a test
    born(api)
    hook = a_connection(api)
    a_connection(api, "listens", events=["*"])
    a_rule(api, hook, below(rearm=60), "rapid_score_drop", "lifecycle_change", name="Falls")
    a_rule(api, hook, {"type": "no_contact", "max_days": 3}, "nps_detractor",
           name="Cools", cooldown_hours=48)  # fmt: skip
    a_rule(api, hook, below(60), {"type": "renewal_approaching", "days": 20},
           name="Daily", schedule={"type": "daily", "at": "13:00"})  # fmt: skip
    when = "health_score < 70 AND days_since_contact > 2"
    api.post("put_custom_rule", {"name": "Own", "when": when, "connections": [hook]})
    for day in range(DAYS):
        for _ in range(some.randint(0, 4)):
            write(api, some)
            if some.random() < 0.5:
                reacting.settle()
        if day == DAYS // 2:
            api.job("update_config", {"bands": {"healthy": 72}})
        reacting.settle()
        reacting.tick(minutes=some.randint(0, 120))
        api.clock.now = api.clock.now.replace(hour=12, minute=0, second=0)
        turn(api, days=1)
        reacting.settle()
        reacting.tick(minutes=15)
    reacting.tick(hours=2)


def write(api: Api, some: random.Random) -> None:
    name = some.choice(NAMES)
    api.later(minutes=some.randint(1, 30))
    found = api.get("get_customer", name=name)
    if found.status == 200 and some.random() < 0.1:
        api.post("delete_customer", {"name": name})
        return
    if found.status == 404:
        api.post("restore_customer", {"name": name})
    fields: dict[str, Any] = {
        "logins": some.randint(0, 30),
        "adoption": some.randint(0, 100),
        "nps": some.randint(0, 10),
        "days": some.choice([0, 0, 2, 80]),
        "renewal_date": f"2026-03-{some.randint(10, 31)}",
        "lifecycle": some.choice(["active", "churned", "onboarding"]),
    }
    api.upsert(name, **{field: fields[field] for field in some.sample(sorted(fields), 3)})


def reactions_of(stored: Stored) -> dict[tuple[str, str], Mapping[str, Any]]:
    marks = ("#AL#", "#DLV#", "#BOX#", "#WAKE")
    return {key: item for key, item in stored.items() if any(mark in key[0] for mark in marks)}


def told(stored: Stored) -> tuple[dict[str, Any], dict[str, Any], set[tuple[str, str]]]:
    """Return every alert, every delivery but summaries, and the lines that summaries told."""
    alerts, deliveries, lines = {}, {}, set()
    for (place, key), item in stored.items():
        row = json.loads(item.get("row", "{}")) if "#AL#" in place or "#DLV#" in place else {}
        if not row:
            assert "#BOX#" not in place, key
        elif "#AL#" in place:
            alerts[row["id"]] = {name: row[name] for name in row if name != "version"}
        elif row["event_type"] == "alert.digest":
            listed = json.loads(item["doc"])["payload"]["data"]["alerts"]
            lines |= {(row["connection_id"], line["id"]) for line in listed}
        else:
            payload = json.loads(item["doc"])["payload"]
            # When a signal arrived stands in no record.
            payload["data"].get("customer", {}).pop("signals_received", None)
            deliveries[row["id"]] = payload
    return alerts, deliveries, lines


def dropped(api: Api, keys: Any) -> None:
    for key in keys:
        api.table.item(*key).delete()


def redriven(api: Api, reacting: Reacting, since: str = "2026-03-01") -> Any:
    job = api.job("redrive", {"since": since})
    assert job["state"] == "done", job
    reacting.settle()
    reacting.tick(minutes=25)
    return job["result"]


@pytest.mark.parametrize("seed", [1])
def test_what_is_missing_is_raised_and_told_and_nothing_that_is_there(
    api: Api, reacting: Reacting, seed: int
) -> None:
    """Of a life of some days: first nothing is missing, then some, then all of it."""
    grown(api, reacting, seed)
    for alert in api.get("list_alerts", limit=9).data[::2]:
        api.post("dismiss_alerts", {"ids": [alert["id"]]})
    full = told(api.stored())
    assert (len(full[0]) > 10, len(full[1]) > 30, len(full[2]) > 0) == (True, True, True)

    before = api.stored()
    result = redriven(api, reacting)
    after = api.stored()
    moved = {key for key in after if before.get(key) != after[key]}
    assert {key[0].rpartition("#")[2] for key in moved} <= {"JOBS", "AUDIT"}
    assert (result["raised"], before.keys() - after.keys()) == (0, set())

    gone = some_of(api.stored(), random.Random(seed))  # noqa: S311 - drives a test
    dropped(api, gone)
    raised = sum("#AL#" in place for place, _ in gone)
    assert redriven(api, reacting)["raised"] == raised > 0
    assert differing(told(api.stored()), full) == []

    dropped(api, reactions_of(api.stored()))
    assert redriven(api, reacting)["raised"] == len(full[0])
    assert differing(told(api.stored()), full) == []


def some_of(stored: Stored, some: random.Random) -> set[tuple[str, str]]:
    """Choose what is missing: an alert and its deliveries are written, so are missing, together."""
    gone = set()
    for (place, key), item in stored.items():
        if "#DLV#" in place and some.random() < 0.5:
            gone.add((place, key))
            ids = ids_in(item)
            gone |= {each for each in reactions_of(stored) if ids_in(stored[each]) & ids}
    return {key for key in gone if not is_summary(stored[key])}


def is_summary(item: Mapping[str, Any]) -> bool:
    return '"alert.digest"' in item.get("row", "")


def differing(found: Any, expected: Any) -> list[Any]:
    """Return what was told otherwise; somebody dismissed an alert, which none of it can know."""
    rows = []
    for one, other in zip(found[:2], expected[:2], strict=True):
        for key in one.keys() | other.keys():
            pair = [{**each.get(key, {"gone": True})} for each in (one, other)]
            if any(each.get("state") == "dismissed" for each in pair):
                for each in pair:
                    each["state"] = each["closed_at"] = each["closed_by"] = None
            if pair[0] != pair[1]:
                rows.append(pair)
    return [*rows, *(expected[2] - found[2])]


def ids_in(item: Mapping[str, Any]) -> set[str]:
    """Return the alerts that an alert is, or that a delivery tells of by itself."""
    if "#AL#" in item["PK"]:
        return {json.loads(item["row"])["id"]}
    if "#DLV#" not in item["PK"]:
        return set()
    data = json.loads(item.get("doc") or "{}").get("payload", {}).get("data", {})
    return set() if "reason" in data else {alert["id"] for alert in data.get("alerts", ())}


def test_an_alert_alone_is_raised_again_and_not_told_twice(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())
    api.upsert("Acme", logins=20)
    api.later(minutes=1)
    api.upsert("Acme", logins=2)
    reacting.settle()
    sent = len(outside.told("alert.fired"))
    gone = [key for key in api.stored() if "#AL#" in key[0]]
    dropped(api, gone)
    assert redriven(api, reacting)["raised"] == len(gone) == 3
    assert len(outside.told("alert.fired")) == sent == 1
    assert len(api.get("list_alerts").data) == 3


def test_an_alert_of_after_a_restore_outlives_the_deletion_before(
    api: Api, reacting: Reacting
) -> None:
    rule = a_rule(api, a_connection(api), below())
    api.upsert("Acme", logins=2)
    for action in ("delete_customer", "restore_customer"):
        api.later(minutes=1)
        assert api.post(action, {"name": "Acme"}).status == 200
    reacting.settle()
    api.later(minutes=1)
    assert len(api.get("list_alerts", rule_id=rule["id"]).data) == 1
    redriven(api, reacting)
    assert len(api.get("list_alerts", rule_id=rule["id"]).data) == 1


def test_what_holds_again_since_the_range_stays_open(api: Api, reacting: Reacting) -> None:
    """A renewal that was moved there and back is one alert, and the range ends in between."""
    until = {"type": "renewal_approaching", "days": 30}
    rule = a_rule(api, a_connection(api), until)
    for day in ("2026-03-20", "2026-07-01", "2026-03-20"):
        api.later(hours=1)
        api.upsert("Acme", logins=20, renewal_date=day)
        reacting.settle()
    before = api.get("list_alerts", rule_id=rule["id"]).data
    assert len(before) == 1
    job = api.job("redrive", {"since": "2026-03-01", "until": "2026-03-02T14:30:00Z"})
    assert (job["result"]["changes"], job["result"]["raised"]) == (2, 0)
    after = api.get("list_alerts", rule_id=rule["id"]).data
    assert [{**each, "version": 0} for each in after] == [{**each, "version": 0} for each in before]


def test_a_score_that_moved_at_midnight_is_not_taken_for_what_it_was(
    api: Api, reacting: Reacting
) -> None:
    born(api)
    when = "health_score = 100 AND days_since_contact >= 10"
    api.post("put_custom_rule", {"name": "Own", "when": when})
    api.upsert("Acme", logins=30, adoption=100, tickets=0, nps=10, days=7, growth="strong")
    for day in range(4):
        turn(api, days=1)
        reacting.settle()
        assert (day < 2) == (api.customer(name="Acme")["score"] == 100)
    assert redriven(api, reacting)["raised"] == 0


def test_nobody_is_told_of_what_was_before_it_listened(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    api.upsert("Acme", logins=20)
    api.post("update_config", {"bands": {"healthy": 72}})
    reacting.settle()
    api.later(days=1)
    a_connection(api, "late", events=["*"], created_at=iso(api.clock.now))
    api.later(days=1)
    api.upsert("Acme", logins=30)
    api.post("update_config", {"bands": {"healthy": 71}})
    api.later(days=1)
    redriven(api, reacting)
    types = [sent.payload["type"] for sent in outside.sent if sent.connection.id == "late"]
    assert "customer.updated" in types
    assert "customer.created" not in types
    assert types.count("model.changed") == 1


def test_whoever_was_erased_is_left_out(api: Api, reacting: Reacting) -> None:
    made = api.upsert("Acme", logins=2)
    api.post("delete_customer", {"id": made["id"], "hard": True})
    api.later(minutes=1)
    a_connection(api, "listens", events=["*"])
    result = redriven(api, reacting)
    assert (result["customers"], result["raised"]) == (0, 0)
    assert not [key for key in reactions_of(api.stored()) if made["id"] in key[0]]


def test_what_was_raised_of_a_customer_does_not_outlive_its_erasure(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = api.upsert("Acme", logins=2)
    api.later(minutes=1)
    raise_all = AlertTable.raise_all

    def too_late(*given: Any) -> Any:
        api.post("delete_customer", {"id": made["id"], "hard": True})
        return raise_all(*given)

    monkeypatch.setattr(AlertTable, "raise_all", too_late)
    job = api.job("redrive", {"since": "2026-03-01"})
    assert job["result"]["raised"] == 2
    assert not [key for key in reactions_of(api.stored()) if made["id"] in key[0]]


def test_a_redrive_that_is_cut_short_goes_on_and_counts_once(
    api: Api, reacting: Reacting, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_rule(api, a_connection(api), below())
    for logins in (20, 2, 22, 3):
        for name in NAMES:
            api.later(minutes=1)
            api.upsert(name, logins=logins)
    reacting.settle()
    full = told(api.stored())
    for looks in (3, 4, 7):
        dropped(api, reactions_of(api.stored()))
        job_id = api.post("redrive", {"since": "2026-03-01"}).body["job_id"]
        runs = 0
        while messages := api.queued():
            runs += 1
            with monkeypatch.context() as patch:
                hurried(api, patch, looks)
                jobs.handler({"Records": messages}, api.context)
        job = api.get("get_job", id=job_id).data
        assert (job["state"], runs > 1) == ("done", True)
        assert job["result"] == {"customers": 3, "changes": 12, "raised": len(full[0])}
        reacting.settle()
        assert differing(told(api.stored()), full) == []


def test_one_customer_that_cannot_be_rebuilt_does_not_stop_the_others(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_rule(api, a_connection(api), below())
    made = [api.upsert(name, logins=2) for name in ("Acme", "Bolt", "Crux")]
    api.later(minutes=1)
    history = wiring().customers.history

    def broken(tenant: Any, customer_id: str, **options: Any) -> Any:
        if customer_id == made[1]["id"]:
            raise ZeroDivisionError
        return history(tenant, customer_id, **options)

    monkeypatch.setattr(wiring().customers, "history", broken)
    result = api.job("redrive", {"since": "2026-03-01"})["result"]
    assert (result["failed"], result["customers"]) == (1, 3)
    raised = {alert["customer_id"] for alert in api.get("list_alerts").data}
    assert raised == {made[0]["id"], made[2]["id"]}


@pytest.mark.parametrize(
    "span",
    [
        {"since": "2026-02-01"},
        {"since": "2026-03-09"},
        {"since": "2026-03-01", "until": "2026-03-01"},
    ],
)
def test_a_range_that_cannot_be_redriven_is_refused(api: Api, span: dict[str, str]) -> None:
    assert api.post("redrive", span).refused == {"since": "out_of_range"}


def test_a_dry_run_starts_nothing_and_no_other_key_may(api: Api) -> None:
    before = api.stored()
    asked = {"since": "2026-03-01", "dry_run": True}
    assert api.post("redrive", asked).data["kind"] == "redrive"
    assert api.stored() == before
    other = api.another_key("health:write")
    assert other.post("redrive", {"since": "2026-03-01"}).status == 403
