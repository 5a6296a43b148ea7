"""The documented examples of the source, each as it is printed there."""

from datetime import timedelta

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api

UPSERT = {
    "name": "Acme Corp",
    "mrr": 5000,
    "logins": 22,
    "adoption": 75,
    "tickets": 1,
    "tier": "mid",
    "manager": "Sarah",
}
UPDATE = {"name": "Acme Corp", "field": "logins", "value": 28}
POLL = (
    "action=list_customers&updated_since=2026-03-01T00:00:00Z&sort=updated_at&order=desc&limit=50"
)
GET = "action=get_customer&name=Acme%20Corp"
FIELDS = {
    "id", "tenant_id", "external_id", "name", "logins", "adoption", "tickets", "nps", "csat",
    "days", "growth", "last_contact_on", "mrr", "arr", "tier", "lifecycle", "manager", "tags",
    "renewal_date", "next_touch", "since", "sentiment", "scoring_profile", "custom_fields",
    "score", "score_exact", "status", "computed_score", "override", "coverage", "missing",
    "low_confidence", "contributions", "model_version", "next_band_change_at",
    "next_band_change_to", "priority_score", "momentum", "momentum_direction",
    "cadence_status", "days_until_renewal", "created_at",
    "updated_at", "score_changed_at", "version", "dedupe_id", "path_to_next_band",
}  # fmt: skip


def test_the_upsert_example_is_healthy_at_76(api: Api) -> None:
    reply = api.post("upsert_account", UPSERT)
    assert reply.status == 200
    assert reply.body["action"] == "upsert_account"
    assert reply.body["created"] is True
    assert (reply.body["score"], reply.body["status"]) == (76, "healthy")
    assert reply.data["score_exact"] == 75.8333
    assert reply.data["coverage"] == 0.7
    assert reply.body["warnings"] == []


def test_the_update_example_is_expansion_at_83(api: Api) -> None:
    api.post("upsert_account", UPSERT)
    reply = api.post("update_health", UPDATE)
    assert reply.body["created"] is False
    assert (reply.body["score"], reply.body["status"]) == (83, "expansion")
    assert reply.data["score_exact"] == 82.9762


def test_the_polling_example_finds_what_changed_since(api: Api) -> None:
    made = api.post("upsert_account", UPSERT).data
    reply = api.send("GET", query=POLL, content_type="")
    assert [found["id"] for found in reply.data] == [made["id"]]
    assert (reply.body["limit"], reply.body["offset"]) == (50, 0)
    assert (reply.body["has_more"], reply.body["next_cursor"]) == (False, None)


def test_the_polling_example_leaves_out_what_did_not_change(api: Api) -> None:
    api.clock.now = NOW - timedelta(days=2)
    api.post("upsert_account", UPSERT)
    assert api.send("GET", query=POLL).data == []


def test_the_get_example_finds_the_customer(api: Api) -> None:
    made = api.post("upsert_account", UPSERT).data
    assert api.send("GET", query=GET).data == made


def test_the_explanation_adds_up_to_the_score(api: Api) -> None:
    shown = api.post("upsert_account", UPSERT).data
    parts = {part["signal"]: part["contribution"] for part in shown["contributions"]}
    assert parts == {"logins": 26.1905, "adoption": 26.7857, "tickets": 22.8571}
    assert round(sum(parts.values()), 4) == shown["score_exact"]
    assert {gap["signal"] for gap in shown["missing"]} == {"nps", "days", "growth"}


def test_an_answer_has_every_field_that_is_promised(api: Api) -> None:
    shown = api.post("upsert_account", UPSERT).data
    assert set(shown) >= FIELDS
    assert shown["arr"] == 60_000
    assert shown["dedupe_id"] == f"{shown['id']}:1"
    assert shown["tenant_id"] == api.tenant.id
    part = shown["contributions"][0]
    assert set(part) == {"signal", "value", "points", "weight", "contribution"}


def test_a_listed_customer_is_the_one_that_is_got(api: Api) -> None:
    """But for what only a whole read holds."""
    whole = api.post("upsert_account", UPSERT).data
    [listed] = api.get("list_customers").data
    assert listed == {name: value for name, value in whole.items() if name in listed}
    assert set(whole) - set(listed) == {
        "custom_fields", "note", "signals_received", "path_to_next_band",
    }  # fmt: skip


@pytest.mark.parametrize("action", ["list_customers", "get_customer"])
def test_a_read_goes_by_post_too(api: Api, action: str) -> None:
    api.post("upsert_account", UPSERT)
    asked = {"name": "Acme Corp"} if action == "get_customer" else {"limit": 50}
    assert api.post(action, asked).body == api.get(action, **asked).body


@pytest.mark.parametrize(
    ("vector", "signals", "exact", "score", "status", "coverage"),
    [
        ("GV-3", {"logins": 10, "adoption": 50, "tickets": 1, "nps": 8, "days": 7, "growth": "na"},
         56.7836, 57, "watch", 0.95),
        ("GV-4", {"logins": 30, "adoption": 100, "tickets": 0, "nps": 10, "days": 0,
                  "growth": "strong"}, 100, 100, "expansion", 1),
        ("GV-5", {"logins": 0, "adoption": 0, "tickets": 5, "nps": 0, "days": 180,
                  "growth": "none"}, 1, 1, "critical", 1),
        ("GV-6", {"logins": 0, "adoption": 0, "tickets": 9, "nps": 0, "days": 400}, 0, 0,
         "critical", 0.95),
        ("GV-7", {"days": 90}, 50, 50, "watch", 0.1),
        ("GV-8", {}, None, None, "unscored", 0),
        ("GV-9", {"logins": 45}, 100, 100, "expansion", 0.25),
        ("GV-10", {"logins": 15, "adoption": 60, "tickets": 2, "nps": 7, "days": 30,
                   "growth": "mild"}, 57.8333, 58, "watch", 1),
    ],
)  # fmt: skip
def test_a_golden_vector_comes_out_of_the_api(
    api: Api,
    vector: str,
    signals: dict[str, object],
    *,
    exact: float | None,
    score: int | None,
    status: str,
    coverage: float,
) -> None:
    shown = api.upsert(vector, **signals)
    assert (shown["score_exact"], shown["score"]) == (exact, score)
    assert (shown["status"], shown["coverage"]) == (status, coverage)
    assert shown["low_confidence"] is (coverage < 0.5)


def test_a_score_decays_to_gv_11_while_nobody_calls(api: Api) -> None:
    signals = {"logins": 15, "adoption": 60, "tickets": 2, "nps": 7, "days": 30, "growth": "mild"}
    made = api.upsert("Acme Corp", **signals)
    api.later(days=150)
    shown = api.customer(id=made["id"])
    assert (shown["score_exact"], shown["score"], shown["status"]) == (49.5, 50, "watch")
    assert shown["days"] == 180
    assert (shown["version"], shown["updated_at"]) == (1, made["updated_at"])
