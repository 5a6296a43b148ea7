"""Who may call: keys and how they are carried, scopes, tenants (AMB-15, 16, LU-013 to 017)."""

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api, Reply, new_key
from tests.integration.actions.test_transport import READS, WRITES, is_a_problem
from tests.integration.actions.writes import WRITES as EXAMPLES

from action_table import ACTIONS
from vitals.domain.access import ALL_SCOPES
from vitals.runtime.api_keys import digest, make_key
from vitals.storage import codec, keys
from vitals.storage.table import Table

OPEN = ("whoami", "list_actions")
"""What any good key may call."""


def basic(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


def whoami(api: Api, **headers: str) -> Reply:
    return api.send("GET", query={"action": "whoami"}, **{"x_api_key": "", **headers})


def is_unauthenticated(reply: Reply) -> bool:
    assert reply.headers["www-authenticate"] == 'Bearer realm="vitals", Basic realm="vitals"'
    assert reply.headers["x-ratelimit-limit"] == "1000"
    return is_a_problem(reply, 401, "unauthenticated")


def test_a_key_is_taken_from_any_of_its_carriers(api: Api) -> None:
    for headers in (
        {"x_api_key": api.key},
        {"x_api_key": f" {api.key} "},
        {"authorization": f"Bearer {api.key}"},
        {"authorization": f"bearer {api.key}"},
        {"authorization": basic(f"{api.key}:")},
        {"authorization": basic(f":{api.key}")},
        {"authorization": basic(f"{api.key}:x")},
        {"authorization": basic(f"zapier:{api.key}")},
        {"authorization": f"Bearer {api.key}", "x_api_key": api.key},
    ):
        assert whoami(api, **headers).status == 200, headers


def test_two_different_keys_are_refused(api: Api) -> None:
    reply = whoami(api, x_api_key=api.key, authorization=f"Bearer {make_key()}")
    assert is_a_problem(reply, 400, "conflicting_credentials")
    reply = whoami(api, authorization=basic(f"{api.key}:{make_key()}"))
    assert is_a_problem(reply, 400, "conflicting_credentials")


def test_a_key_tells_whose_it_is(api: Api) -> None:
    shown = api.another_key("customers:read", name="Zapier").get("whoami").data
    assert (shown["tenant_id"], shown["tenant_name"]) == (api.tenant.id, "Testers")
    assert (shown["name"], shown["scopes"]) == ("Zapier", ["customers:read"])
    assert shown["prefix"].startswith("vt_live_")


def test_no_key_opens_nothing(api: Api) -> None:
    assert is_unauthenticated(whoami(api))
    assert is_unauthenticated(whoami(api, authorization="Digest x"))
    assert is_unauthenticated(whoami(api, authorization="Basic !!"))
    assert is_unauthenticated(api.send("POST", body={"action": "nothing"}, x_api_key=""))


def test_a_mistyped_key_is_refused_without_a_read(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_read(*_: object, **__: object) -> None:
        raise AssertionError("the table was read")

    monkeypatch.setattr(Table, "get", no_read)
    wrong = api.key[:-1] + ("0" if api.key[-1] != "0" else "1")
    swapped = api.key[:10] + api.key[11] + api.key[10] + api.key[12:]
    for key in (wrong, swapped, api.key[:-1], "vt_live_", "x", api.key.lower()):
        if key != api.key:
            assert is_unauthenticated(whoami(api, x_api_key=key))


def test_an_unknown_key_opens_nothing(api: Api) -> None:
    assert is_unauthenticated(whoami(api, x_api_key=make_key()))


def test_a_key_opens_nothing_from_the_instant_it_expires(api: Api) -> None:
    expiring = api.another_key("customers:read", expires_at=NOW + timedelta(seconds=10))
    assert expiring.get("whoami").data["expires_at"] == "2026-03-02T12:00:10.000Z"
    api.later(seconds=10)
    assert is_unauthenticated(expiring.get("whoami"))
    api.restart()
    assert is_unauthenticated(expiring.get("whoami"))


def test_a_revoked_key_opens_nothing(api: Api) -> None:
    revoked = api.another_key("customers:read")
    item = api.table.get(keys.api_key(digest(revoked.key)))
    assert item is not None
    item.row = codec.encode({**codec.decode(item.row or ""), "revoked_at": "2026-03-02T11:00:00Z"})
    api.table.put(item)
    assert is_unauthenticated(revoked.get("whoami"))


def test_a_key_whose_tenant_is_gone_opens_nothing(api: Api) -> None:
    orphan = replace(api.tenant, id="01GONE")
    key = new_key(orphan, NOW, ("customers:read",))
    assert is_unauthenticated(whoami(api, x_api_key=key))


def data_of(action: str) -> dict[str, Any]:
    for write in EXAMPLES.values():
        if write.action == action:
            return write.data
    return {"name": "Acme"} if action in ("get_customer", "get_history") else {}


@pytest.mark.parametrize("action", [*READS, *WRITES])
def test_an_action_has_the_scope_that_its_kind_has(action: str) -> None:
    needed = "customers:write" if action in WRITES else "customers:read"
    assert ACTIONS[action].scopes == (() if action in OPEN else (needed,))


@pytest.mark.parametrize(
    ("action", "needed"), [(each.name, scope) for each in ACTIONS.values() for scope in each.scopes]
)
def test_an_action_needs_its_scopes(api: Api, action: str, needed: str) -> None:
    lacking = api.another_key(*(scope for scope in ALL_SCOPES if scope != needed))
    before = api.stored()
    reply = lacking.post(action, data_of(action))
    assert is_a_problem(reply, 403, "forbidden")
    assert reply.body["scope"] == needed
    assert needed in reply.body["detail"]
    assert api.stored() == before


@pytest.mark.parametrize("action", [*READS, *WRITES])
def test_an_action_needs_no_other_scope(api: Api, action: str) -> None:
    needed = "customers:write" if action in WRITES else "customers:read"
    api.upsert("Acme")
    assert api.another_key(needed).post(action, data_of(action)).status == 200


def test_a_scope_is_asked_for_before_the_input_is_read(api: Api) -> None:
    reply = api.another_key("customers:read").post("upsert_account", {"logins": "many"})
    assert is_a_problem(reply, 403, "forbidden")


REFERENCES = ("id", "name", "external_id")
ONE = ("get_customer", "get_history", "update_health", "delete_customer", "restore_customer",
       "score_customer", "log_contact")  # fmt: skip


@pytest.fixture
def theirs(api: Api) -> Api:
    """Another tenant with a customer of its own, in the same table."""
    other = api.another_tenant()
    other.upsert("Theirs", external_id="crm-1", logins=22)
    return other


@pytest.mark.parametrize("by", REFERENCES)
@pytest.mark.parametrize("action", ONE)
def test_another_tenants_customer_is_not_found(api: Api, theirs: Api, action: str, by: str) -> None:
    """LU-016: 404, not 403."""
    reference = {by: theirs.customer(name="Theirs")[by]}
    more = {"field": "mrr", "value": 1} if action == "update_health" else {}
    before = api.stored()
    reply = api.post(action, {**reference, **more})
    assert is_a_problem(reply, 404, "customer_not_found")
    if action == "delete_customer":
        reply = api.post(action, {**reference, "hard": True})
        assert is_a_problem(reply, 404, "customer_not_found")
    assert api.stored() == before


def test_another_tenants_id_is_never_upserted(api: Api, theirs: Api) -> None:
    theirs_id = theirs.customer(name="Theirs")["id"]
    before = api.stored()
    reply = api.post("upsert_account", {"id": theirs_id, "name": "Mine now"})
    assert is_a_problem(reply, 404, "customer_not_found")
    batch = {"customers": [{"id": theirs_id, "name": "Mine now"}]}
    [result] = api.post("batch_upsert", batch).body["results"]
    assert result["error"]["code"] == "customer_not_found"
    assert api.stored() == before


def test_the_same_name_and_external_id_are_free_in_every_tenant(api: Api, theirs: Api) -> None:
    reply = api.post("upsert_account", {"name": "Theirs", "external_id": "crm-1", "logins": 1})
    assert reply.body["created"] is True
    assert theirs.customer(name="Theirs")["logins"] == 22
    batch = {"customers": [{"name": "Theirs", "external_id": "crm-1", "logins": 2}]}
    assert api.post("batch_upsert", batch).body["summary"]["updated"] == 1
    assert theirs.customer(name="Theirs")["logins"] == 22


@pytest.mark.parametrize("sort", ["updated_at", "score"])
def test_lists_hold_nothing_of_another_tenant(api: Api, theirs: Api, sort: str) -> None:
    assert len(theirs.get("list_customers", sort=sort).data) == 1
    assert api.get("list_customers", sort=sort, include_deleted="true").data == []
    assert api.get("list_changes").data == []
    their_id = theirs.customer(name="Theirs")["id"]
    assert api.get("list_changes", customer_id=their_id).status == 404


@pytest.mark.parametrize("sort", ["updated_at", "name"])
def test_a_cursor_walks_only_its_bearers_data(api: Api, theirs: Api, sort: str) -> None:
    for number in range(3):
        theirs.upsert(f"Customer {number}")
    page = theirs.get("list_customers", sort=sort, limit=1)
    reply = api.get("list_customers", sort=sort, limit=1, cursor=page.body["next_cursor"])
    assert reply.data == []
    page = theirs.get("list_changes", limit=1)
    assert api.get("list_changes", limit=1, cursor=page.body["next_cursor"]).data == []


def test_tenants_do_not_share_a_portfolio(api: Api, theirs: Api) -> None:
    theirs.upsert("Theirs", mrr=900)
    api.upsert("Mine", logins=3, mrr=100)
    api.restart()
    assert api.customer(name="Mine")["priority"]["revenue_share"] == 1
