"""Tenants: made with a sandbox, closed and opened again, erased whole; test keys are apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.actions.api import Api, Reply

from vitals.runtime.wiring import wiring


@pytest.fixture
def platform(api: Api) -> Api:
    """The API as whoever runs the platform sees it."""
    return api.another_key("platform:*", "admin:*", "health:read")


def created(platform: Api, **fields: Any) -> tuple[Any, Api]:
    """Return a new tenant as it was answered, and its API."""
    shown = platform.post("create_tenant", {"name": "Northwind", **fields}).data
    tenant = wiring().tenants.tenant(shown["id"])
    assert tenant is not None
    return shown, Api(platform.table, tenant, shown["api_key"], platform.clock)


def test_a_tenant_is_made_with_a_sandbox_a_model_and_a_key(platform: Api) -> None:
    shown, theirs = created(platform, shards=4)
    assert theirs.upsert("Acme", logins=15)["score"] == 50
    assert shown["shards"] == 4
    me = theirs.get("whoami").data
    assert (me["tenant_id"], me["tenant_name"], me["sandbox"]) == (shown["id"], "Northwind", False)
    assert "platform:*" not in me["scopes"]
    [sandbox, live] = [
        each
        for each in platform.get("list_tenants").data
        if shown["id"] in (each["id"], each["sandbox_of"])
    ]
    assert sandbox["id"] == live["sandbox_id"]


def test_the_first_key_is_shown_this_once(platform: Api) -> None:
    first = platform.post("create_tenant", {"name": "Northwind"}, idempotency_key="k")
    again = platform.post("create_tenant", {"name": "Northwind"}, idempotency_key="k")
    assert again.headers["idempotency-replayed"] == "true"
    secret = first.body["data"].pop("api_key")
    [warning] = again.body.pop("warnings")
    assert (warning["code"], first.body.pop("warnings")) == ("secret_shown_once", [])
    assert again.body == first.body
    assert secret not in json.dumps([str(item) for item in platform.stored().values()])


def test_a_test_key_opens_the_sandbox_alone(platform: Api) -> None:
    shown, theirs = created(platform)
    theirs.upsert("Acme")
    made = theirs.post("create_api_key", {"name": "CI", "scopes": ["customers:write",
                       "customers:read", "admin:*"], "type": "test"}).data  # fmt: skip
    assert made["api_key"].startswith("vt_test_")
    assert made["tenant_id"] == shown["sandbox_id"]
    sandbox = Api(theirs.table, theirs.tenant, made["api_key"], theirs.clock)
    assert sandbox.get("whoami").data["sandbox"] is True
    assert sandbox.get("list_customers").data == []
    sandbox.upsert("Acme", logins=1)
    assert theirs.customer(name="Acme")["logins"] is None
    own = sandbox.post("create_api_key", {"name": "x", "scopes": ["customers:read"]}).data
    assert (own["type"], own["tenant_id"]) == ("test", shown["sandbox_id"])
    assert {each["id"] for each in sandbox.get("list_api_keys").data} == {made["id"], own["id"]}
    assert {each["type"] for each in theirs.get("list_api_keys").data} == {"live", "test"}
    assert theirs.post("revoke_api_key", {"id": made["id"]}).status == 200
    theirs.restart()
    assert sandbox.get("whoami").status == 401


def test_no_test_key_reaches_beyond_its_sandbox(platform: Api) -> None:
    asked = {"name": "CI", "scopes": ["platform:*"], "type": "test"}
    assert platform.post("create_api_key", asked).refused == {"scopes": "out_of_range"}


def test_a_sandbox_goes_with_its_tenant_alone(platform: Api) -> None:
    shown, _ = created(platform)
    asked = {"tenant_id": shown["sandbox_id"], "confirm": "Northwind (sandbox)"}
    assert platform.post("delete_tenant", asked).refused == {"tenant_id": "out_of_range"}
    del asked["confirm"]
    assert platform.post("suspend_tenant", asked).refused == {"tenant_id": "out_of_range"}


def test_a_tenant_without_a_sandbox_has_no_test_keys(api: Api) -> None:
    reply = api.post("create_api_key", {"name": "CI", "scopes": ["admin:*"], "type": "test"})
    assert (reply.status, reply.code) == (409, "no_sandbox")


def test_a_suspended_tenant_takes_no_request_until_it_is_resumed(platform: Api) -> None:
    shown, theirs = created(platform)
    theirs.upsert("Acme")
    reply = platform.post("suspend_tenant", {"tenant_id": shown["id"]})
    assert reply.data["suspended_at"]
    refused = theirs.get("list_customers")
    assert (refused.status, refused.code) == (403, "tenant_suspended")
    assert platform.post("suspend_tenant", {"tenant_id": shown["id"]}).body["unchanged"] is True
    resumed = platform.post("suspend_tenant", {"tenant_id": shown["id"], "suspended": False})
    assert resumed.data["suspended_at"] is None
    assert theirs.customer(name="Acme")["name"] == "Acme"


def test_a_deleted_tenant_is_erased_whole_and_the_others_are_not(platform: Api) -> None:
    kept = platform.another_tenant()
    kept.upsert("Acme", external_id="a-1")
    shown, theirs = created(platform, shards=2)
    theirs.post("batch_upsert", {"customers": [{"name": f"C{n}", "external_id": f"x{n}", "mrr": n}
                                               for n in range(30)]})  # fmt: skip
    theirs.post("delete_customer", {"name": "C3", "hard": True})
    theirs.job("update_config", {"quiet_after": 3})
    theirs.post("create_api_key", {"name": "x", "scopes": ["customers:read"], "type": "test"})
    before = {key for key in kept.stored() if kept.tenant.id in str(key)}
    job = platform.job("delete_tenant", {"tenant_id": shown["id"], "confirm": "Northwind"})
    assert (job["kind"], job["state"]) == ("delete_tenant", "done")
    assert job["progress"]["erased"] > 100
    left = [item for item in everything(platform) if shown["id"] in str(item["PK"])]
    assert left == []
    assert not [item for item in everything(platform) if shown["sandbox_id"] in str(item["PK"])]
    assert {key for key in kept.stored() if kept.tenant.id in str(key)} == before
    theirs.restart()
    assert theirs.get("whoami").status == 401
    assert shown["id"] not in {each["id"] for each in platform.get("list_tenants").data}


def everything(api: Api) -> Iterator[dict[str, Any]]:
    for item in api.table.item.scan(consistent_read=True):
        yield item.to_simple_dict()


def test_a_tenant_deleted_while_a_batch_runs_leaves_nothing(
    platform: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, theirs = created(platform)
    theirs.get("whoami")
    stale = dict(wiring()._access)  # noqa: SLF001 - what another instance remembers
    real = platform.clock.sleep
    wrote: list[Reply] = []

    def writing(seconds: float) -> None:
        # An instance that had let the batch in goes on with it while the job waits.
        if not wrote:
            wiring()._access |= stale  # noqa: SLF001 - as above
            records = [{"name": f"Late {n}", "mrr": 5} for n in range(5)]
            wrote.append(theirs.post("batch_upsert", {"customers": records}))
            wiring().forget(shown["id"])
        real(seconds)

    monkeypatch.setattr("vitals.runtime.clock.sleep", writing)
    job = platform.job("delete_tenant", {"tenant_id": shown["id"], "confirm": "Northwind"})
    assert wrote[0].body["summary"]["created"] == 5
    assert job["state"] == "done"
    assert not [item for item in everything(platform) if shown["id"] in item["PK"]]


def test_a_tenant_is_deleted_by_name_and_never_ones_own(platform: Api) -> None:
    shown, _ = created(platform)
    reply = platform.post("delete_tenant", {"tenant_id": shown["id"], "confirm": "Northwing"})
    assert reply.refused == {"confirm": "conflicting_fields"}
    own = {"tenant_id": platform.tenant.id, "confirm": platform.tenant.name}
    assert platform.post("delete_tenant", own).refused == {"tenant_id": "out_of_range"}
    assert platform.post("delete_tenant", {**own, "tenant_id": "01X"}).code == "tenant_not_found"
    assert platform.post("suspend_tenant", {"tenant_id": "01X"}).code == "tenant_not_found"


def test_a_tenant_whose_deletion_failed_is_deleted_again(
    platform: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, theirs = created(platform)
    theirs.upsert("Acme")
    asked = {"tenant_id": shown["id"], "confirm": "Northwind"}

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(wiring().tenants, "erase", broken)
        assert platform.job("delete_tenant", asked)["state"] == "failed"
    assert platform.job("delete_tenant", asked)["state"] == "done"
    assert not [item for item in everything(platform) if shown["id"] in item["PK"]]
    assert platform.post("delete_tenant", asked).code == "tenant_not_found"


def test_a_deleted_tenants_job_is_left_alone(platform: Api) -> None:
    shown, theirs = created(platform)
    theirs.post("rescore_all")
    platform.job("delete_tenant", {"tenant_id": shown["id"], "confirm": "Northwind"})
    assert platform.queued() == []


def test_what_the_platform_does_is_in_its_audit(platform: Api) -> None:
    shown, _ = created(platform)
    platform.post("suspend_tenant", {"tenant_id": shown["id"]})
    entries = platform.get("list_audit").data
    assert {(each["action"], each["subject"]) for each in entries} >= {
        ("create_tenant", shown["id"]), ("suspend_tenant", shown["id"]),
    }  # fmt: skip
    assert "vt_live" not in json.dumps(entries)


def test_nobody_closes_the_tenant_of_their_own_key(platform: Api) -> None:
    reply = platform.post("suspend_tenant", {"tenant_id": platform.tenant.id})
    assert reply.refused == {"tenant_id": "out_of_range"}


def test_the_platform_gives_a_tenant_another_key_and_nobody_else_does(platform: Api) -> None:
    shown, theirs = created(platform)
    asked = {"name": "rescue", "scopes": ["admin:*"], "tenant_id": shown["id"]}
    made = platform.post("create_api_key", asked).data
    assert made["tenant_id"] == shown["id"]
    rescued = Api(platform.table, theirs.tenant, made["api_key"], platform.clock)
    assert rescued.get("whoami").data["tenant_id"] == shown["id"]
    other = {**asked, "tenant_id": platform.tenant.id}
    assert theirs.post("create_api_key", other).body["scope"] == "platform:*"
    assert platform.post("create_api_key", {**asked, "tenant_id": "01X"}).code == "tenant_not_found"


def test_a_key_of_the_platform_is_closed_by_the_platform_alone(platform: Api) -> None:
    mine = platform.get("whoami").data["id"]
    admin = platform.another_key("admin:*")
    assert admin.post("revoke_api_key", {"id": mine}).body["scope"] == "platform:*"
    assert platform.post("revoke_api_key", {"id": mine, "dry_run": True}).status == 200


def test_the_platform_raises_a_tenants_limits_and_names_it_anew(platform: Api) -> None:
    """LU-075."""
    shown, theirs = created(platform)
    change = {"tenant_id": shown["id"], "name": "Northwind AB", "limits": {"reads": 5000}}
    assert platform.post("update_tenant", change).data["limits"]["reads"] == 5000
    assert theirs.get("whoami").headers["x-ratelimit-limit"] == "5000"
    assert theirs.get("whoami").data["tenant_name"] == "Northwind AB"
    assert platform.post("update_tenant", change).body["unchanged"] is True
    wrong = {"tenant_id": shown["id"], "limits": {"reads": 3}}
    assert platform.post("update_tenant", wrong).refused == {"limits.reads": "out_of_range"}
    sandbox = {"tenant_id": shown["sandbox_id"], "limits": {"reads": None}}
    assert platform.post("update_tenant", sandbox).data["limits"]["writes"] == 60


def test_tenants_are_listed_by_pages(platform: Api) -> None:
    for n in range(3):
        platform.later(seconds=1)
        created(platform, name=f"T{n}")
    first = platform.get("list_tenants", limit=4)
    rest = platform.get("list_tenants", limit=4, cursor=first.body["next_cursor"])
    names = [each["name"] for each in first.data + rest.data]
    assert len(names) == len(set(names)) == 7
    assert {"T0", "T1", "T2", "T0 (sandbox)"} <= set(names)
