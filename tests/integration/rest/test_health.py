"""Health over /v1: the score and its dimensions, its history, and what moved it (LU-042 to 048)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.integration.rest.client import Rest


def exact(*amounts: float) -> Decimal:
    return sum((Decimal(str(each)) for each in amounts), Decimal())


@pytest.fixture
def acme(rest: Rest) -> str:
    found = rest.created(signals={"logins": 22, "adoption": 75, "tickets": 1, "nps": 9})
    return f"/v1/customers/{found['id']}"


def test_dimensions_add_up_to_the_score_that_both_apis_publish(rest: Rest, acme: str) -> None:
    health = rest.get(f"{acme}/health").body
    told = rest.api.post("get_customer", {"id": health["customer_id"]}).data
    assert (health["score"], health["score_exact"]) == (told["score"], told["score_exact"])
    parts = health["dimensions"].values()
    assert exact(*(each["contribution"] for each in parts)) == exact(health["score_exact"])
    assert exact(*(each["weight"] for each in parts)) == 1
    assert exact(*(each["model_weight"] for each in parts)) == 1
    assert health["dimensions"]["engagement"]["value"] is None
    assert health["risk"]["risk_index"] == 100 - health["score"]
    assert (health["risk"]["calibrated"], health["risk"]["churn_probability"]) == (False, None)


def test_a_customer_without_a_signal_is_unscored_and_not_at_risk(rest: Rest) -> None:
    path = f"/v1/customers/{rest.created()['id']}"
    health = rest.get(f"{path}/health").body
    assert (health["score"], health["status"], health["risk"]["risk_index"]) == (
        None, "unscored", None,
    )  # fmt: skip
    assert rest.get("/v1/health/at-risk").body["data"] == []


def test_the_history_has_a_point_a_day_and_a_week(rest: Rest, acme: str) -> None:
    first = rest.get(f"{acme}/health").body["score"]
    rest.api.clock.now += timedelta(days=10)
    rest.patch(acme, {"signals": {"logins": 3}})
    today = rest.api.clock.now.date()
    points = rest.get(f"{acme}/health/history").body["points"]
    assert len(points) == 90
    assert points[-1]["date"] == str(today)
    assert [each["score"] for each in points[-11:-1]] == [first] * 10
    assert points[-1]["score"] == rest.get(f"{acme}/health").body["score"]
    assert points[-12]["score"] is None
    weekly = rest.get(f"{acme}/health/history", granularity="weekly").body["points"]
    assert weekly[-1]["score"] == points[-1]["score"]
    reversed_ = rest.get(f"{acme}/health/history", **{"from": str(today), "to": "2026-01-01"})
    assert (reversed_.status, reversed_.code) == (422, "unprocessable")
    assert rest.get(f"{acme}/health/history", granularity="hourly").status == 400


def test_what_moved_the_score_adds_up_to_its_move(rest: Rest, acme: str) -> None:
    before = rest.api.clock.now
    opening = rest.get(f"{acme}/health").body["score_exact"]
    rest.api.clock.now += timedelta(days=1)
    rest.patch(acme, {"signals": {"logins": 3, "tickets": 4}})
    rest.api.clock.now += timedelta(hours=1)
    rest.patch(acme, {"signals": {"nps": None}})
    told = rest.get(f"{acme}/health/explanation", **{"from": f"{before:%Y-%m-%dT%H:%M:%SZ}"})
    closing = rest.get(f"{acme}/health").body["score_exact"]
    assert (told.body["from"]["score_exact"], told.body["to"]["score_exact"]) == (opening, closing)
    assert exact(told.body["change"]) == exact(closing, -opening)
    assert exact(*(each["change"] for each in told.body["parts"])) == exact(told.body["change"])
    assert exact(*(each["change"] for each in told.body["causes"])) == exact(told.body["change"])
    assert "coverage" in {each["kind"] for each in told.body["parts"]}


def test_scored_anew_an_override_stays(rest: Rest, acme: str) -> None:
    customer_id = rest.get(acme).body["id"]
    rest.api.post("upsert_account", {"id": customer_id, "score": 12, "override_sticky": True})
    again = rest.post(f"{acme}/health/recalculate")
    assert (again.status, again.body["score"]) == (200, 12)
    assert again.body["override"]["value"] == 12
    assert rest.post("/v1/customers/nobody/health/recalculate").status == 404


def test_who_is_at_risk_is_the_lowest_first_and_who_crossed_is_told_when(rest: Rest) -> None:
    for name, logins in (("Acme", 3), ("Bolt", 12), ("Coil", 30)):
        rest.created(name=name, signals={"logins": logins})
    assert [each["name"] for each in rest.get("/v1/health/at-risk").body["data"]] == [
        "Acme",
        "Bolt",
    ]
    high = rest.get("/v1/health/at-risk", threshold=30).body["data"]
    assert [each["name"] for each in high] == ["Acme"]
    since = f"{rest.api.clock.now:%Y-%m-%dT%H:%M:%SZ}"
    rest.api.clock.now += timedelta(hours=1)
    coil = rest.get("/v1/customers", q="coil").body["data"][0]["id"]
    rest.patch(f"/v1/customers/{coil}", {"signals": {"logins": 6}})
    [crossed] = rest.get("/v1/health/at-risk", since=since).body["data"]
    assert (crossed["name"], crossed["score_before"]) == ("Coil", 100)
    summary = rest.get("/v1/health/summary").body
    assert summary["customers"] == 3
