"""API keys and the audit: created, listed, rotated, revoked; who did what (LU-013, AMB-15)."""

import json
from threading import Thread

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api

from vitals.domain.access import SCOPES
from vitals.runtime.api_keys import digest


def _holder(api: Api, secret: str) -> Api:
    return Api(api.table, api.tenant, secret, api.clock)


def _created(api: Api, scopes: str = "customers:read", **fields: object) -> tuple[str, str]:
    """Create a key and return its id and secret."""
    made = api.post("create_api_key", {"name": "Zapier", "scopes": scopes, **fields}).data
    return made["id"], made["api_key"]


def test_a_created_key_opens_what_its_scopes_say(api: Api) -> None:
    _, secret = _created(api, "customers:read")
    zap = _holder(api, secret)
    assert zap.get("list_customers").status == 200
    refused = zap.post("upsert_account", {"name": "Acme"})
    assert (refused.status, refused.body["scope"]) == (403, "customers:write")


def test_of_a_secret_only_its_hash_and_first_letters_are_stored(api: Api) -> None:
    _, secret = _created(api)
    stored = json.dumps(list(api.stored().values()), default=str)
    assert secret not in stored
    assert secret[:13] not in stored
    assert digest(secret) in stored
    listed = api.get("list_api_keys").data
    assert [key["prefix"] for key in listed] == [api.key[:12], secret[:12]]
    assert secret not in json.dumps([listed, api.get("list_audit").body])


def test_no_key_grants_what_it_does_not_hold(api: Api) -> None:
    lesser = api.another_key("admin:*", "customers:read")
    refused = lesser.post("create_api_key", {"name": "x", "scopes": "customers:write"})
    assert (refused.status, refused.code) == (403, "forbidden")
    assert lesser.post("create_api_key", {"name": "x", "scopes": "customers:read"}).status == 200
    key_id, _ = _created(api, "customers:write")
    assert lesser.post("rotate_api_key", {"id": key_id}).status == 403


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        ({}, {"name": "required", "scopes": "required"}),
        ({"name": "x", "scopes": ""}, {"scopes": "required"}),
        ({"name": "x", "scopes": "everything"}, {"scopes": "unknown_value"}),
        (
            {"name": "x", "scopes": "admin:*", "expires_at": "2020-01-01"},
            {"expires_at": "in_the_past"},
        ),
        (
            {"name": "x", "scopes": "admin:*", "expires_at": "2030-01-01", "expires_in_days": 7},
            {"expires_in_days": "conflicting_fields"},
        ),
        (
            {"name": "x", "scopes": "admin:*", "expires_in_days": 0},
            {"expires_in_days": "out_of_range"},
        ),
    ],
)
def test_a_bad_request_for_a_key_names_every_field(
    api: Api, data: dict[str, object], refused: dict[str, str]
) -> None:
    reply = api.post("create_api_key", data)
    assert (reply.status, reply.refused) == (400, refused)


def test_a_key_ends_when_it_was_said_to(api: Api) -> None:
    _, secret = _created(api, expires_in_days=7)
    zap = _holder(api, secret)
    assert zap.get("whoami").status == 200
    api.later(days=7)
    ended = zap.get("whoami")
    assert (ended.status, ended.code) == (401, "unauthenticated")


def test_rotation_leaves_both_keys_good_for_the_overlap(api: Api) -> None:
    key_id, old = _created(api)
    reply = api.post("rotate_api_key", {"id": key_id, "overlap_hours": 2})
    fresh = reply.data["api_key"]
    assert reply.data["id"] != key_id == reply.body["previous"]["id"]
    assert reply.data["scopes"] == ["customers:read"]
    api.restart()
    assert [_holder(api, key).get("whoami").status for key in (old, fresh)] == [200, 200]
    api.later(hours=2)
    assert [_holder(api, key).get("whoami").status for key in (old, fresh)] == [401, 200]


def test_a_rotated_key_lives_as_long_as_the_old_one_was_meant_to(api: Api) -> None:
    key_id, _ = _created(api, expires_in_days=7)
    api.later(days=6)
    fresh = api.post("rotate_api_key", {"id": key_id})
    assert fresh.data["expires_at"][:10] == "2026-03-15"
    again = api.post("rotate_api_key", {"id": key_id})
    assert (again.status, again.code) == (409, "key_revoked")


def test_a_revoked_key_is_closed_for_good(api: Api) -> None:
    key_id, secret = _created(api)
    assert _holder(api, secret).get("whoami").status == 200
    first = api.post("revoke_api_key", {"id": key_id})
    again = api.post("revoke_api_key", {"id": key_id})
    assert [each.body["already_revoked"] for each in (first, again)] == [False, True]
    assert again.data["revoked_at"] == first.data["revoked_at"]
    assert api.post("rotate_api_key", {"id": key_id}).code == "key_revoked"
    api.restart()
    assert _holder(api, secret).get("whoami").status == 401


def test_a_revocation_is_effective_within_a_minute_everywhere(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]
    monkeypatch.setattr("vitals.runtime.clock.monotonic", lambda: seconds[0])
    key_id, secret = _created(api)
    assert _holder(api, secret).get("whoami").status == 200
    api.post("revoke_api_key", {"id": key_id})
    seconds[0] = 59.0
    assert _holder(api, secret).get("whoami").status == 401


def test_another_tenants_key_is_not_found(api: Api) -> None:
    other = api.another_tenant()
    key_id, _ = _created(other)
    for action in ("rotate_api_key", "revoke_api_key"):
        assert api.post(action, {"id": key_id}).code == "key_not_found"
    assert key_id not in {key["id"] for key in api.get("list_api_keys").data}


def test_a_repeated_creation_makes_one_key_and_shows_its_secret_once(api: Api) -> None:
    asked = {"name": "Zapier", "scopes": "customers:read"}
    first = api.post("create_api_key", asked, idempotency_key="once")
    again = api.post("create_api_key", asked, idempotency_key="once")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.data["id"] == first.data["id"]
    assert "api_key" in first.data
    assert "api_key" not in again.data
    assert len(api.get("list_api_keys").data) == 2
    assert api.post("create_api_key", {**asked, "name": "y"}, idempotency_key="once").status == 422


@pytest.mark.parametrize("action", ["create_api_key", "rotate_api_key", "revoke_api_key"])
def test_a_dry_run_of_key_administration_stores_nothing(api: Api, action: str) -> None:
    key_id, _ = _created(api)
    before = api.stored()
    data = {"name": "x", "scopes": "admin:*"} if action == "create_api_key" else {"id": key_id}
    reply = api.post(action, {**data, "dry_run": True})
    assert reply.body["dry_run"] is True
    assert "api_key" not in reply.data
    assert api.stored() == before


def test_of_two_rotations_at_once_one_takes_effect(api: Api) -> None:
    key_id, _ = _created(api)
    statuses: list[int] = []

    def rotate() -> None:
        statuses.append(api.post("rotate_api_key", {"id": key_id}).status)

    threads = [Thread(target=rotate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]
    assert len(api.get("list_api_keys").data) == 3


def test_last_use_is_noted_now_and_then(api: Api) -> None:
    _, secret = _created(api)
    zap = _holder(api, secret)
    assert api.get("list_api_keys").data[1]["last_used_at"] is None
    zap.get("whoami")
    noted = api.get("list_api_keys").data[1]["last_used_at"]
    assert noted == NOW.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    api.later(minutes=9)
    api.restart()
    zap.get("whoami")
    assert api.get("list_api_keys").data[1]["last_used_at"] == noted
    api.later(minutes=2)
    api.restart()
    zap.get("whoami")
    assert api.get("list_api_keys").data[1]["last_used_at"] > noted


def test_a_revoked_key_stays_closed_when_a_clock_steps_back(api: Api) -> None:
    key_id, secret = _created(api)
    api.post("revoke_api_key", {"id": key_id})
    api.later(hours=-1)
    api.restart()
    assert api.get("whoami", x_api_key="").status in (200, 401)
    assert api.send("GET", query={"action": "whoami"}, x_api_key=secret).status == 401


def test_a_key_that_ends_with_the_calendar_is_rotated(api: Api) -> None:
    asked = {"name": "x", "scopes": ["customers:read"], "expires_at": "9999-12-31T00:00:00Z"}
    made = api.post("create_api_key", asked).data
    reply = api.post("rotate_api_key", {"id": made["id"]})
    assert reply.data["expires_at"].startswith("9999-12-31")


def test_the_audit_tells_who_did_what_to_whom_newest_first(api: Api) -> None:
    customer = api.upsert("Acme Corp", logins=3)
    api.later(seconds=1)
    key_id, _ = _created(api)
    api.later(seconds=1)
    api.post("revoke_api_key", {"id": key_id})
    entries = api.get("list_audit").data
    assert [(each["action"], each["subject"]) for each in entries] == [
        ("revoke_api_key", key_id),
        ("create_api_key", key_id),
        ("upsert_account", customer["id"]),
    ]
    me = api.get("whoami").data["id"]
    assert {each["by"] for each in entries} == {me}
    assert entries[2]["customer"] == "Acme Corp"
    assert api.get("list_audit", done="create_api_key").data == [entries[1]]
    assert api.get("list_audit", subject=customer["id"]).data == [entries[2]]
    assert api.get("list_audit", by="somebody").data == []


def test_the_audit_is_paged_by_place_and_bound_by_time(api: Api) -> None:
    for number in range(5):
        api.upsert("Acme Corp", logins=number)
        _created(api)
        api.later(seconds=1)
    everything = api.get("list_audit").data
    assert len(everything) == 10
    walked, cursor = [], ""
    while True:
        page = api.get("list_audit", limit=3, cursor=cursor)
        walked += page.data
        cursor = page.body["next_cursor"]
        if cursor is None:
            break
    assert walked == everything
    since = api.get("list_audit", since=everything[3]["at"]).data
    until = api.get("list_audit", until=everything[4]["at"]).data
    assert (since, until) == (everything[:4], everything[4:])


def test_key_administration_needs_the_admin_scope(api: Api) -> None:
    plain = api.another_key(*(scope for scope in SCOPES if scope != "admin:*"))
    for action in (
        "create_api_key",
        "list_api_keys",
        "rotate_api_key",
        "revoke_api_key",
        "list_audit",
    ):
        refused = plain.post(action, {})
        assert (refused.status, refused.body["scope"]) == (403, "admin:*")
