"""Deleting and restoring: soft for thirty days, or for good (IQ-017, AMB-12, AMB-13)."""

import pytest
from tests.builders import an_id
from tests.integration.actions.api import Api

NAMING = ("acme", "crm-1", "secret note", "sarah", "a@b.example")


@pytest.fixture
def acme(api: Api) -> str:
    return str(api.upsert("Acme", external_id="crm-1", logins=22, mrr=100)["id"])


def delete(api: Api, **reference: object) -> object:
    return api.post("delete_customer", reference).data


def test_a_deleted_customer_says_until_when_it_can_be_restored(api: Api, acme: str) -> None:
    reply = api.post("delete_customer", {"name": "Acme"})
    assert (reply.body["deleted"], reply.body["already_deleted"]) == (True, False)
    assert (reply.data["id"], reply.data["version"]) == (acme, 2)
    assert reply.data["deleted_at"] == "2026-03-02T12:00:00.000Z"
    assert reply.data["purge_at"] == "2026-04-01T12:00:00.000Z"


def test_a_deleted_customer_is_out_of_sight(api: Api, acme: str) -> None:
    delete(api, id=acme)
    assert api.get("list_customers").data == []
    assert api.get("list_customers", sort="name").body["total"] == 0
    for reference in ({"id": acme}, {"name": "Acme"}, {"external_id": "crm-1"}):
        assert api.get("get_customer", **reference).status == 404


def test_a_deleted_customer_is_seen_on_request(api: Api, acme: str) -> None:
    delete(api, id=acme)
    [listed] = api.get("list_customers", include_deleted="true").data
    assert listed["deleted_at"] is not None
    assert api.customer(name="Acme", include_deleted="true")["id"] == acme


def test_a_second_delete_changes_nothing(api: Api, acme: str) -> None:
    delete(api, id=acme)
    before = api.stored()
    api.later(hours=1)
    reply = api.post("delete_customer", {"id": acme})
    assert (reply.status, reply.body["already_deleted"]) == (200, True)
    assert reply.data["purge_at"] == "2026-04-01T12:00:00.000Z"
    assert api.stored() == before


def test_nobody_cannot_be_deleted(api: Api) -> None:
    assert api.post("delete_customer", {"name": "Nobody"}).code == "customer_not_found"
    assert api.post("delete_customer", {}).refused == {"id": "required"}


def test_an_upsert_onto_a_deleted_customer_is_refused(api: Api, acme: str) -> None:
    delete(api, id=acme)
    for data in ({"name": "acme"}, {"external_id": "crm-1", "name": "Else"}, {"id": acme}):
        reply = api.post("upsert_account", {**data, "logins": 1})
        assert (reply.status, reply.code) == (409, "in_trash")
        assert reply.body["customer_id"] == acme
        assert reply.body["purge_at"] == "2026-04-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("update_health", {"field": "mrr", "value": 1}),
        ("score_customer", {}),
        ("log_contact", {"channel": "call"}),
    ],
)
def test_no_write_reaches_a_deleted_customer(
    api: Api, acme: str, action: str, data: dict[str, object]
) -> None:
    delete(api, id=acme)
    before = api.stored()
    reply = api.post(action, {"id": acme, **data})
    assert (reply.status, reply.code) == (409, "in_trash")
    assert api.stored() == before


def test_an_upsert_restores_on_request(api: Api, acme: str) -> None:
    delete(api, id=acme)
    data = {"name": "Acme", "adoption": 75, "on_deleted": "restore"}
    reply = api.post("upsert_account", data)
    assert (reply.body["created"], reply.body["restored"]) == (False, True)
    shown = reply.data
    assert (shown["id"], shown["version"], shown["deleted_at"]) == (acme, 3, None)
    assert (shown["logins"], shown["adoption"]) == (22, 75)
    history = api.get("get_history", id=acme).data
    assert [change["version"] for change in history] == [3, 2, 1]


@pytest.mark.parametrize("by", ["id", "name", "external_id"])
def test_a_restored_customer_is_as_it_was(api: Api, acme: str, by: str) -> None:
    before = api.customer(id=acme)
    delete(api, id=acme)
    api.later(days=29)
    reference = {"id": acme, "name": "ACME", "external_id": "crm-1"}[by]
    reply = api.post("restore_customer", {by: reference})
    assert reply.body["restored"] is True
    moved = {name for name in before if before[name] != reply.data[name]}
    # Its score has stood for as long as a momentum takes by now.
    since_then = {"momentum", "momentum_direction"}
    assert moved == {"version", "dedupe_id", "updated_at", "evaluated_at", *since_then}
    assert api.get("list_customers").data != []


def test_restoring_what_is_not_deleted_changes_nothing(api: Api, acme: str) -> None:
    before = api.stored()
    reply = api.post("restore_customer", {"id": acme})
    assert (reply.body["restored"], reply.body["unchanged"]) == (False, True)
    assert api.stored() == before


def test_after_thirty_days_nothing_can_be_restored(api: Api, acme: str) -> None:
    delete(api, id=acme)
    api.later(days=30)
    assert api.post("restore_customer", {"id": acme}).code == "customer_not_found"
    assert api.get("get_customer", id=acme, include_deleted="true").status == 404


def test_after_thirty_days_the_name_is_a_new_customers(api: Api, acme: str) -> None:
    delete(api, id=acme)
    api.later(days=30)
    reply = api.post("upsert_account", {"name": "Acme", "external_id": "crm-1"})
    assert reply.body["created"] is True
    assert reply.data["id"] != acme
    assert reply.data["logins"] is None
    assert api.get("get_history", id=acme).status == 404


def test_after_thirty_days_the_name_can_be_a_rename(api: Api, acme: str) -> None:
    bolt = api.upsert("Bolt")["id"]
    delete(api, id=acme)
    api.later(days=30)
    reply = api.post("upsert_account", {"id": bolt, "name": "Acme", "external_id": "crm-1"})
    assert (reply.status, reply.body.get("created")) == (200, False)
    assert api.customer(name="Acme")["id"] == bolt


def test_a_hard_delete_leaves_nothing_that_names_the_customer(api: Api, acme: str) -> None:
    api.upsert("Acme", note="secret note", manager="Sarah", custom_fields={"email": "a@b.example"})
    reply = api.post("delete_customer", {"name": "Acme", "hard": True})
    assert (reply.status, reply.body["hard"], reply.data) == (200, True, {"id": acme})
    left = str(api.stored()).casefold()
    assert [word for word in NAMING if word in left] == []
    locks = [key for key in api.stored() if "#U#" in key[0]]
    assert locks == []
    assert api.get("get_customer", id=acme, include_deleted="true").status == 404
    assert api.get("get_history", id=acme).status == 404


def test_a_hard_delete_is_on_record_without_a_name(api: Api, acme: str) -> None:
    api.post("delete_customer", {"id": acme, "hard": True})
    [change] = api.get("list_changes").data
    assert (change["customer_id"], change["cause"]) == (acme, "purge")
    assert (change["name"], change["changed"]) == ("", [])


def test_a_hard_delete_of_a_deleted_customer_goes_too(api: Api, acme: str) -> None:
    delete(api, id=acme)
    reply = api.post("delete_customer", {"name": "Acme", "hard": True})
    assert (reply.status, reply.body["already_deleted"]) == (200, False)
    assert api.post("upsert_account", {"name": "Acme"}).body["created"] is True


def test_a_second_hard_delete_changes_nothing(api: Api, acme: str) -> None:
    api.post("delete_customer", {"id": acme, "hard": True})
    before = api.stored()
    reply = api.post("delete_customer", {"id": acme, "hard": True})
    assert (reply.status, reply.body["already_deleted"]) == (200, True)
    assert api.stored() == before


def test_nobody_cannot_be_deleted_for_good(api: Api) -> None:
    for reference in ({"name": "Nobody"}, {"id": an_id(9)}):
        reply = api.post("delete_customer", {**reference, "hard": True})
        assert (reply.status, reply.code) == (404, "customer_not_found")


def test_a_hard_delete_needs_the_scope_of_an_admin(api: Api, acme: str) -> None:
    """LU-037."""
    writer = api.another_key("customers:read", "customers:write")
    before = api.stored()
    reply = writer.post("delete_customer", {"id": acme, "hard": True})
    assert (reply.status, reply.code, reply.body["scope"]) == (403, "forbidden", "admin:*")
    assert api.stored() == before
    assert writer.post("delete_customer", {"id": acme}).status == 200


def test_the_portfolio_forgets_the_deleted(api: Api, acme: str) -> None:
    api.upsert("Bolt", logins=3, mrr=300)
    delete(api, id=acme)
    api.restart()
    assert api.customer(name="Bolt")["priority"]["revenue_share"] == 1
    api.post("restore_customer", {"id": acme})
    api.restart()
    assert api.customer(name="Bolt")["priority"]["revenue_share"] == 0.75
