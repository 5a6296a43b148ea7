"""Health as the resource API will ask for it: over a table, beside the actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.builders import a_key
from tests.integration.actions.api import Api
from tests.integration.actions.ingesting import an_event
from tests.integration.actions.test_reports import turn

from vitals.domain.errors import CustomerNotFoundError, InTrashError, InvalidCursorError
from vitals.domain.instants import iso
from vitals.runtime.wiring import wiring
from vitals.usecases.context import Answer, Context, Idempotency
from vitals.usecases.health import get_health, recalculate_health
from vitals.usecases.health_history import explain_score, get_health_history
from vitals.usecases.health_portfolio import get_health_summary, list_at_risk
from vitals.usecases.ingest_events import ingest_events

UseCase = Callable[[Context, Mapping[str, Any]], Answer]


def context(api: Api, key: str = "") -> Context:
    """Return a request of *api*'s tenant, as it now is, under an Idempotency-Key if given one."""
    tenant = wiring().tenants.tenant(api.tenant.id, consistent=True)
    assert tenant is not None
    return wiring().context(
        a_key(tenant_id=tenant.id),
        tenant,
        api.clock.now,
        lambda: 29,
        idempotency=Idempotency(key, "f") if key else None,
    )


def asked(api: Api, use_case: UseCase, **given: object) -> Any:
    return use_case(context(api), given)["data"]


def test_health_shows_what_the_action_shows_and_its_dimensions(api: Api) -> None:
    made = api.upsert("Acme", logins=22, adoption=75, tickets=1)
    found = asked(api, get_health, id=made["id"])
    shown = api.customer(id=made["id"])
    assert (found["score"], found["status"], found["band"]) == (76, "healthy", "healthy")
    assert float(found["score_exact"]) == shown["score_exact"]
    assert {name: float(each["weight"]) for name, each in found["dimensions"].items()} == {
        "usage": 0.7143, "support": 0.2857, "sentiment": 0, "engagement": 0, "growth": 0
    }  # fmt: skip
    assert found["dimensions"]["sentiment"]["value"] is None
    assert found["dimensions"]["usage"]["signals"] == ["logins", "adoption"]
    [first, *_] = found["signals"]
    assert (first["signal"], first["dimension"]) == ("logins", "usage")
    assert (first["received_at"], first["source"]) == (iso(api.clock.now), "a key")
    assert found["updated_at"] == shown["updated_at"]
    reasons = found["risk"]["reasons"]
    assert [each["signal"] for each in reasons] == ["logins", "adoption", "tickets"]


def test_health_of_nobody_and_of_one_in_the_trash_is_not_found(api: Api) -> None:
    """AMB-61: a new customer has no score, and little coverage."""
    made = api.upsert("Acme")
    found = asked(api, get_health, id=made["id"])
    assert (found["score"], found["status"], found["risk"]["risk_index"]) == (
        None, "unscored", None
    )  # fmt: skip
    assert (found["coverage"], found["low_confidence"]) == (0, True)
    api.post("delete_customer", {"id": made["id"]})
    other = api.another_tenant().upsert("Bolt", logins=5)
    for customer_id in (made["id"], other["id"], "01NOBODY"):
        for use_case in (get_health, get_health_history, explain_score):
            with pytest.raises(CustomerNotFoundError):
                asked(api, use_case, id=customer_id)
    with pytest.raises(InTrashError):
        asked(api, recalculate_health, id=made["id"])


def test_a_trend_is_of_seven_days_and_of_thirty(api: Api) -> None:
    made = api.upsert("Acme", logins=30)
    api.later(days=20)
    assert asked(api, get_health, id=made["id"])["trend"]["change_30d"] is None
    api.later(days=15)
    assert asked(api, get_health, id=made["id"])["trend"] == {
        "change_7d": 0, "change_30d": 0, "direction": "steady"
    }  # fmt: skip
    api.upsert("Acme", logins=15)
    api.later(days=10)
    api.upsert("Acme", logins=9)
    assert asked(api, get_health, id=made["id"])["trend"] == {
        "change_7d": -20, "change_30d": -70, "direction": "falling"
    }  # fmt: skip


def test_history_and_explanation_carry_decay_that_nothing_has_published(api: Api) -> None:
    made = api.upsert("Acme", logins=15, days=0)
    begun = iso(api.clock.now)
    api.later(days=40)
    points = asked(api, get_health_history, id=made["id"], granularity="weekly")["points"]
    assert points[0]["score"] is None
    # 2026-03-02 is a Monday.
    assert [each["score"] for each in points[-6:]] == [64, 64, 64, 64, 64, 58]
    assert [each["changes"] for each in points[-6:]] == [1, 0, 0, 0, 0, 0]
    found = asked(api, explain_score, id=made["id"], **{"from": begun})
    assert [(each["kind"], each["signal"]) for each in found["parts"]] == [("decay", "days")]
    assert found["to"]["score"] == points[-1]["score"] == 58
    [cause] = found["causes"]
    assert (cause["change_id"], cause["cause"]) == (None, "time")


def test_a_nightly_pass_publishes_decay_as_a_change(api: Api) -> None:
    made = api.upsert("Acme", logins=15, days=0)
    for _ in range(9):
        turn(api, days=1)
    found = asked(api, explain_score, id=made["id"])
    kinds = [each["kind"] for each in found["parts"]]
    assert kinds == ["first_score", "decay"]
    # What has not moved the published number yet, time alone is the cause of.
    assert {each["cause"] for each in found["causes"]} == {"api", "decay", "time"}
    assert sum(each["change"] for each in found["causes"]) == found["change"]


def test_a_score_is_computed_anew_and_one_set_by_hand_stays(api: Api) -> None:
    """LU-045: unlike score_customer."""
    made = api.upsert("Acme", logins=15, score=90)
    api.post("update_config", {"preset": "usage_led", "rescore": False})
    context_now = context(api, "again")
    answer = recalculate_health(context_now, {"id": made["id"]})
    data = answer["data"]
    assert (data["score"], data["model_version"], data["unchanged"]) == (90, 2, False)
    assert data["override"]["value"] == 90
    assert data["adjustments"][0]["contribution"] == 40
    again = recalculate_health(context(api, "again"), {"id": made["id"]})
    assert {**again["data"]} == {**data}
    assert api.customer(id=made["id"])["version"] == 2
    assert asked(api, recalculate_health, id=made["id"])["unchanged"] is True
    api.post("delete_customer", {"id": made["id"], "hard": True})
    api.run_jobs()
    with pytest.raises(CustomerNotFoundError):
        recalculate_health(context(api, "again"), {"id": made["id"]})


def test_a_score_is_computed_anew_of_what_events_are_left_in_the_window(api: Api) -> None:
    made = api.upsert("Acme", nps=9)
    event = an_event(made["id"], user_id="1", timestamp=api.clock.now)
    ingest_events(context(api), {"events": [event]})
    assert asked(api, get_health, id=made["id"])["signals"][0]["value"] == 1
    api.later(days=31)
    found = asked(api, recalculate_health, id=made["id"])
    assert found["unchanged"] is False
    assert [each["value"] for each in found["signals"]] == [0, 9]


@pytest.fixture
def book(api: Api) -> Api:
    """The API of a tenant with a customer in each of five places."""
    api.upsert("Ada", logins=30, mrr=500, manager="Sarah")
    api.upsert("Bolt", logins=18, mrr=200, manager="Tom")
    api.upsert("Corp", logins=12, mrr=300, manager="sarah")
    api.upsert("Dune", logins=3, manager="Tom")
    api.upsert("Echo", mrr=1)
    gone = api.upsert("Gone", logins=1, mrr=10_000)
    api.post("delete_customer", {"id": gone["id"]})
    return api


def test_a_summary_agrees_with_the_distribution(book: Api) -> None:
    """PE-012."""
    found = asked(book, get_health_summary)
    distribution = book.get("get_distribution").data
    assert found["as_of"] == distribution["as_of"]
    assert (found["customers"], found["scored"], found["unscored"]) == (5, 4, 1)
    assert {band: each["customers"] for band, each in found["bands"].items()} == {
        band: each["customers"] for band, each in distribution["bands"].items()
    }
    # 100, 60, 40, 10
    assert (float(found["average_score"]), found["median_score"]) == (52.5, 50)
    assert float(found["coverage"]) == 0.2
    assert found["mrr"] == 1001
    assert {word: each["customers"] for word, each in found["statuses"].items()} == {
        "at_risk": 2, "neutral": 1, "healthy": 1, "unscored": 1
    }  # fmt: skip
    for rows in (found["statuses"], found["bands"]):
        assert sum(each["share"] for each in rows.values()) == 1
        assert sum(each["mrr_share"] for each in rows.values()) == 1


def test_a_summary_of_nobody_has_no_average(api: Api) -> None:
    found = asked(api, get_health_summary)
    for name in ("average_score", "median_score", "coverage"):
        assert found[name] is None
    assert found["statuses"]["healthy"] == {"customers": 0, "share": 0, "mrr": 0, "mrr_share": 0}


def test_who_is_at_risk_comes_lowest_first_page_by_page(book: Api) -> None:
    """PE-013, without `since`: a level."""
    seen: list[str] = []
    behind: dict[str, object] = {}
    while True:
        answer = list_at_risk(context(book), {"threshold": 70, "limit": 1, **behind})
        seen += [each["name"] for each in answer["data"]]
        if not answer["has_more"]:
            break
        behind = {"cursor": answer["next_cursor"]}
    assert seen == ["Dune", "Corp", "Bolt"]
    assert [each["name"] for each in asked(book, list_at_risk)] == ["Dune", "Corp"]
    assert [each["name"] for each in asked(book, list_at_risk, threshold=40)] == ["Dune"]
    mine = asked(book, list_at_risk, owner_id="SARAH")
    assert [(each["name"], each["crossed_at"]) for each in mine] == [("Corp", None)]
    with pytest.raises(InvalidCursorError):
        list_at_risk(context(book), {"threshold": 71, **behind})
    assert asked(book.another_tenant(), list_at_risk, threshold=70, **behind) == []


def test_with_since_it_is_who_fell_since_then(book: Api) -> None:
    """PE-013, AMB-42: crossings, also those that only time has made and nothing published."""
    book.later(hours=1)
    since = iso(book.clock.now)
    assert asked(book, list_at_risk, since=since) == []
    book.later(hours=1)
    book.upsert("Ada", logins=14)
    fell = iso(book.clock.now)
    book.later(hours=1)
    book.upsert("Ada", logins=13)
    [row] = asked(book, list_at_risk, since=since)
    assert (row["name"], row["crossed_at"], row["score_before"]) == ("Ada", fell, 100)
    assert asked(book, list_at_risk, since=iso(book.clock.now)) == []
    book.upsert("Fox", days=89)
    book.later(days=3)
    rows = asked(book, list_at_risk, since=since)
    assert [(each["name"], each["crossed_at"]) for each in rows] == [
        ("Ada", fell), ("Fox", "2026-03-04T00:00:00.000Z")
    ]  # fmt: skip


def test_an_override_that_ended_is_a_fall_at_its_end(api: Api) -> None:
    ends = "2026-03-02T20:00:00.000Z"
    api.upsert("Acme", logins=9, score=80, override_expires_at=ends)
    since = iso(api.clock.now)
    api.later(hours=10)
    [row] = asked(api, list_at_risk, since=since)
    assert (row["crossed_at"], row["score_before"]) == (ends, 80)
    # By then it had fallen already, whoever publishes it.
    api.later(days=2)
    assert asked(api, list_at_risk, since="2026-03-02T21:00:00Z") == []
