"""Profiles: weights for kinds of customers, given by hand or by rule (IQ-086)."""

from __future__ import annotations

from typing import Any

from tests.integration.actions.api import Api

TRIAL = {"logins": 100}
NPS = {"nps": 100}


def put(api: Api, name: str = "trial", **fields: Any) -> Any:
    reply = api.post("put_profile", {"name": name, "weights": TRIAL, **fields})
    assert reply.status == 200, reply.body
    return reply.body


def test_a_customer_of_a_profile_is_weighed_by_it(api: Api) -> None:
    put(api)
    made = api.upsert("Acme", logins=15, nps=10, scoring_profile="trial")
    assert (made["score"], made["effective_profile"]) == (50, "trial")
    assert api.upsert("Acme", scoring_profile=None)["score"] == 69


def test_a_profile_that_does_not_total_100_is_refused_or_scaled(api: Api) -> None:
    reply = api.post("put_profile", {"name": "trial", "weights": {"logins": 3, "nps": 1}})
    assert (reply.status, reply.code) == (422, "weights_total")
    answer = put(api, weights={"logins": 3, "nps": 1}, normalize=True)
    assert answer["data"]["profiles"]["trial"] == {"logins": 75, "nps": 25}


def test_a_profile_names_signals_that_there_are(api: Api) -> None:
    reply = api.post("put_profile", {"name": "trial", "weights": {"seats": 100}})
    assert reply.refused == {"profiles.trial.seats": "unknown_value"}
    reply = api.post("put_profile", {"name": "trial", "weights": {"logins": "much"}})
    assert (reply.status, reply.code) == (400, "validation_error")


def test_the_first_rule_that_holds_gives_the_profile(api: Api) -> None:
    put(api)
    put(api, "feelings", weights=NPS)
    rules = [
        {"profile": "trial", "tags": ["Trial"], "lifecycles": ["onboarding"]},
        {"profile": "feelings", "tiers": ["enterprise", "mid"]},
    ]
    assert api.post("update_config", {"profile_rules": rules}).status == 200
    both = {"logins": 15, "nps": 10, "tags": ["trial"], "lifecycle": "onboarding"}
    assert api.upsert("A", **both, tier="mid")["effective_profile"] == "trial"
    assert api.upsert("B", **both | {"lifecycle": "active"}, tier="mid")["score"] == 100
    assert api.upsert("C", **both | {"tags": ["x"]}, tier="smb")["effective_profile"] is None
    own = api.upsert("D", **both, tier="mid", scoring_profile="feelings")
    assert own["effective_profile"] == "feelings"


def test_a_profile_in_use_cannot_go(api: Api) -> None:
    put(api)
    made = api.upsert("Acme", scoring_profile="trial")
    reply = api.post("delete_profile", {"name": "trial"})
    assert (reply.status, reply.code, reply.body["customers"]) == (409, "profile_in_use", 1)
    assert "Acme" in reply.body["detail"]
    reply = api.post("update_config", {"profiles": {"trial": None}})
    assert reply.code == "profile_in_use"
    assert api.post("restore_model", {"version": 1}).code == "profile_in_use"
    api.upsert(id=made["id"], scoring_profile=None)
    assert api.post("delete_profile", {"name": "trial"}).body["model_version"] == 3
    assert api.post("delete_profile", {"name": "trial"}).code == "profile_not_found"


def test_a_profile_that_a_rule_names_cannot_go(api: Api) -> None:
    put(api)
    api.post("update_config", {"profile_rules": [{"profile": "trial", "tiers": ["smb"]}]})
    reply = api.post("delete_profile", {"name": "trial"})
    assert (reply.code, reply.body["rules"]) == ("profile_in_use", [0])


def test_profiles_are_listed_with_their_rules_and_on_request_counted(api: Api) -> None:
    put(api)
    api.post("update_config", {"profile_rules": [{"profile": "trial", "tiers": ["smb"]}]})
    api.upsert("A", tier="smb")
    api.upsert("B")
    reply = api.get("list_profiles")
    assert reply.data == [{"name": "trial", "weights": TRIAL}]
    assert reply.body["rules"] == [
        {"profile": "trial", "tiers": ["smb"], "tags": [], "lifecycles": []}
    ]
    counted = api.get("list_profiles", count=True)
    assert (counted.data[0]["customers"], counted.body["without_profile"]) == (1, 1)
