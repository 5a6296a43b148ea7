"""A score set by hand stands beside the computed one until something ends it (AMB-02, PLUS-11)."""

import pytest
from tests.integration.actions.api import Api

# 22 logins alone are 73 points.
COMPUTED = 73


@pytest.fixture
def acme(api: Api) -> str:
    return str(api.upsert("Acme", logins=22)["id"])


def set_by_hand(api: Api, acme: str, **more: object) -> object:
    return api.post("upsert_account", {"id": acme, "score": 12, **more}).data


def test_a_score_that_is_sent_is_the_score(api: Api, acme: str) -> None:
    reply = api.post("upsert_account", {"id": acme, "score": 12, "override_reason": "a hunch"})
    assert (reply.body["score"], reply.body["status"]) == (12, "critical")
    shown = reply.data
    assert (shown["computed_score"], shown["score_exact"]) == (COMPUTED, 12)
    assert shown["override"] == {
        "value": 12,
        "reason": "a hunch",
        "set_by": api.get("whoami").data["id"],
        "set_at": "2026-03-02T12:00:00.000Z",
        "expires_at": None,
        "sticky": False,
    }


def test_the_explanation_still_adds_up(api: Api, acme: str) -> None:
    set_by_hand(api, acme)
    shown = api.customer(id=acme)
    parts = [part["contribution"] for part in shown["contributions"] + shown["adjustments"]]
    assert round(sum(parts), 4) == shown["score_exact"] == 12
    assert [each["kind"] for each in shown["adjustments"]] == ["override"]


def test_a_score_and_signals_in_one_request_are_both_kept(api: Api, acme: str) -> None:
    reply = api.post("upsert_account", {"id": acme, "score": 12, "logins": 30})
    assert (reply.body["score"], reply.data["computed_score"]) == (12, 100)
    assert reply.body["override_cleared"] is False


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("upsert_account", {"logins": 23}),
        ("upsert_account", {"days": 5}),
        ("upsert_account", {"score": None}),
        ("update_health", {"field": "nps", "value": 9}),
        ("update_health", {"field": "score", "value": None}),
        ("score_customer", {}),
        ("log_contact", {}),
    ],
)
def test_the_next_signal_ends_it(api: Api, acme: str, action: str, data: dict[str, object]) -> None:
    set_by_hand(api, acme)
    reply = api.post(action, {"id": acme, **data})
    assert reply.body["override_cleared"] is True
    assert (reply.data["override"], reply.data["adjustments"]) == (None, [])
    assert reply.body["score"] == reply.data["computed_score"] != 12


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("upsert_account", {"mrr": 100, "manager": "Sarah"}),
        ("update_health", {"field": "tier", "value": "smb"}),
    ],
)
def test_a_write_without_signals_does_not_end_it(
    api: Api, acme: str, action: str, data: dict[str, object]
) -> None:
    set_by_hand(api, acme)
    reply = api.post(action, {"id": acme, **data})
    assert (reply.body["override_cleared"], reply.body["score"]) == (False, 12)


def test_a_sticky_one_outlasts_signals(api: Api, acme: str) -> None:
    set_by_hand(api, acme, override_sticky=True)
    for action, data in [("upsert_account", {"logins": 30}), ("log_contact", {})]:
        reply = api.post(action, {"id": acme, **data})
        assert (reply.body["override_cleared"], reply.body["score"]) == (False, 12)


@pytest.mark.parametrize(
    ("action", "data"), [("upsert_account", {"score": None}), ("score_customer", {})]
)
def test_a_sticky_one_is_ended_on_purpose(
    api: Api, acme: str, action: str, data: dict[str, object]
) -> None:
    set_by_hand(api, acme, override_sticky=True)
    reply = api.post(action, {"id": acme, **data})
    assert (reply.body["override_cleared"], reply.body["score"]) == (True, COMPUTED)


def test_it_ends_when_it_expires(api: Api, acme: str) -> None:
    set_by_hand(api, acme, override_sticky=True, override_expires_at="2026-03-05T12:00:00Z")
    shown = api.customer(id=acme)
    assert shown["next_band_change_at"] == "2026-03-05T12:00:00.000Z"
    assert shown["next_band_change_to"] == "healthy"
    api.later(days=3)
    shown = api.customer(id=acme)
    assert (shown["score"], shown["override"], shown["version"]) == (COMPUTED, None, 2)
    [listed] = api.get("list_customers", status="healthy").data
    assert listed["score"] == COMPUTED


def test_it_cannot_have_expired_before_it_stands(api: Api, acme: str) -> None:
    data = {"id": acme, "score": 12, "override_expires_at": "2026-03-02T12:00:00Z"}
    assert api.post("upsert_account", data).refused == {"override_expires_at": "in_the_past"}


def test_a_fraction_is_rounded_half_up_with_a_warning(api: Api, acme: str) -> None:
    reply = api.post("update_health", {"id": acme, "field": "score", "value": "79.5"})
    assert (reply.body["score"], reply.body["status"]) == (80, "expansion")
    assert reply.warned == {("rounded", "score")}


def test_the_same_score_again_changes_nothing(api: Api, acme: str) -> None:
    set_by_hand(api, acme)
    api.later(hours=1)
    reply = api.post("upsert_account", {"id": acme, "score": 12})
    assert reply.body["unchanged"] is True
    assert reply.data["override"]["set_at"] == "2026-03-02T12:00:00.000Z"
