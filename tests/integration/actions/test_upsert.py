"""upsert_account: who is meant, and what is stored of what was sent."""

import pytest
from tests.builders import an_id
from tests.integration.actions.api import Api


def test_a_name_that_is_new_makes_a_customer(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "Acme"})
    assert (reply.body["created"], reply.body["unchanged"]) == (True, False)
    assert (reply.data["version"], reply.data["lifecycle"]) == (1, "active")


def test_a_customer_without_signals_is_unscored(api: Api) -> None:
    """AMB-01: never 0, never critical."""
    reply = api.post("upsert_account", {"name": "Acme", "mrr": 10})
    assert (reply.body["score"], reply.body["status"]) == (None, "unscored")
    assert (reply.data["coverage"], reply.data["contributions"]) == (0, [])
    assert reply.data["lifecycle"] == "active"


@pytest.mark.parametrize(
    "spelling", ["acme corp", "  ACME   Corp ", "Acme\u00a0Corp", "\uff21cme corp"]
)
def test_a_name_in_any_spelling_means_the_customer(api: Api, spelling: str) -> None:
    made = api.upsert("Acme Corp", logins=3)
    reply = api.post("upsert_account", {"name": spelling, "logins": 4})
    assert (reply.body["created"], reply.data["id"]) == (False, made["id"])
    assert reply.data["name"] == "Acme Corp"


def test_an_external_id_means_the_customer_before_its_name_does(api: Api) -> None:
    first = api.upsert("Acme", external_id="crm-1")
    api.upsert("Bolt", external_id="crm-2")
    reply = api.post("upsert_account", {"external_id": "crm-1", "name": "Acme Ltd"})
    assert (reply.data["id"], reply.data["name"]) == (first["id"], "Acme Ltd")


def test_an_id_means_the_customer_before_all_else(api: Api) -> None:
    first = api.upsert("Acme", external_id="crm-1")
    data = {"id": first["id"], "external_id": "crm-9", "name": "Renamed"}
    reply = api.post("upsert_account", data)
    assert reply.body["created"] is False
    assert (reply.data["name"], reply.data["external_id"]) == ("Renamed", "crm-9")


def test_an_unknown_id_makes_nobody(api: Api) -> None:
    reply = api.post("upsert_account", {"id": an_id(9), "name": "Acme"})
    assert (reply.status, reply.code) == (404, "customer_not_found")
    assert api.get("list_customers").data == []


def test_an_unknown_external_id_finds_the_customer_by_its_name(api: Api) -> None:
    first = api.upsert("Acme")
    reply = api.post("upsert_account", {"external_id": "crm-1", "name": "acme"})
    assert (reply.data["id"], reply.data["external_id"]) == (first["id"], "crm-1")


def test_a_name_that_another_external_id_has_is_refused(api: Api) -> None:
    first = api.upsert("Acme", external_id="crm-1")
    reply = api.post("upsert_account", {"external_id": "crm-2", "name": "Acme"})
    assert (reply.status, reply.code) == (409, "duplicate_name")
    assert reply.body["customer_id"] == first["id"]


def test_a_rename_to_a_taken_name_is_refused(api: Api) -> None:
    first, second = api.upsert("Acme"), api.upsert("Bolt")
    reply = api.post("upsert_account", {"id": second["id"], "name": "ACME"})
    assert (reply.status, reply.code) == (409, "duplicate_name")
    assert reply.body["customer_id"] == first["id"]
    assert api.customer(id=second["id"])["name"] == "Bolt"


def test_an_external_id_that_is_taken_is_refused(api: Api) -> None:
    api.upsert("Acme", external_id="crm-1")
    second = api.upsert("Bolt")
    reply = api.post("upsert_account", {"id": second["id"], "external_id": "crm-1"})
    assert (reply.status, reply.code) == (409, "duplicate_external_id")


def test_a_name_that_was_given_up_is_free(api: Api) -> None:
    first = api.upsert("Acme")
    api.post("upsert_account", {"id": first["id"], "name": "Acme Ltd"})
    assert api.post("upsert_account", {"name": "Acme"}).body["created"] is True


def test_nobody_is_made_without_a_name(api: Api) -> None:
    reply = api.post("upsert_account", {"external_id": "crm-1", "logins": 3})
    assert (reply.status, reply.refused) == (400, {"name": "required"})


def test_create_only_prevents_a_duplicate(api: Api) -> None:
    first = api.upsert("Acme")
    reply = api.post("upsert_account", {"name": "ACME", "create_only": True})
    assert (reply.status, reply.code) == (409, "already_exists")
    assert reply.body["customer_id"] == first["id"]
    assert api.post("upsert_account", {"name": "Bolt", "create_only": True}).status == 200


def test_what_is_left_out_stays(api: Api) -> None:
    before = api.upsert("Acme", logins=22, mrr=100, manager="Sarah", tags="a,b")
    after = api.upsert("Acme", adoption=75)
    kept = ("logins", "mrr", "arr", "manager", "tags", "tier", "created_at")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert (after["adoption"], after["version"]) == (75, 2)


def test_null_clears_and_blank_does_not(api: Api) -> None:
    """AMB-21; Zapier sends "" for what was not given."""
    api.upsert("Acme", logins=22, growth="mild", manager="Sarah", tier="mid", days=3, nps=9)
    shown = api.upsert("Acme", logins=None, growth="na", manager=None, days=None, tier="", nps="")
    assert (shown["logins"], shown["growth"], shown["manager"]) == (None, None, None)
    assert (shown["days"], shown["last_contact_on"]) == (None, None)
    assert (shown["tier"], shown["nps"]) == ("mid", 9)


def test_custom_fields_are_merged_deep(api: Api) -> None:
    """AMB-20, RFC 7396."""
    api.upsert("Acme", custom_fields={"plan": {"name": "pro", "seats": 5}, "x": 1, "l": [1, 2]})
    shown = api.upsert("Acme", custom_fields={"plan": {"seats": None, "trial": True}, "l": [3]})
    assert shown["custom_fields"] == {"plan": {"name": "pro", "trial": True}, "x": 1, "l": [3]}
    assert api.upsert("Acme", custom_fields={"plan": None})["custom_fields"] == {"x": 1, "l": [3]}


def test_tags_replace_and_deltas_do_not(api: Api) -> None:
    assert api.upsert("Acme", tags=" vip, EU ,vip,, eu")["tags"] == ["vip", "EU"]
    assert api.upsert("Acme", add_tags=["Pilot", "VIP"])["tags"] == ["vip", "EU", "Pilot"]
    assert api.upsert("Acme", remove_tags="eu")["tags"] == ["vip", "Pilot"]
    assert api.upsert("Acme", tags=["new"])["tags"] == ["new"]
    assert api.upsert("Acme", tags=[])["tags"] == []


def test_more_than_fifty_tags_are_refused(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "Acme", "tags": [str(n) for n in range(51)]})
    assert (reply.status, reply.refused) == (400, {"tags": "too_long"})


@pytest.mark.parametrize(
    ("sent", "mrr", "arr", "basis"),
    [
        ({"mrr": 100}, 100, 1200, "mrr"),
        ({"arr": 1000}, 83.33, 1000, "arr"),
        ({"arr": 0.05}, 0, 0.05, "arr"),
        ({"mrr": 0}, 0, 0, "mrr"),
        ({"mrr": "19.99"}, 19.99, 239.88, "mrr"),
        ({"mrr": 100, "arr": 1205}, 100, 1205, "both"),
    ],
)
def test_one_amount_follows_from_the_other(
    api: Api, sent: dict[str, object], mrr: float, arr: float, basis: str
) -> None:
    """AMB-22, AMB-23."""
    reply = api.post("upsert_account", {"name": "Acme", **sent})
    shown = reply.data
    assert (shown["mrr"], shown["arr"], shown["revenue_basis"]) == (mrr, arr, basis)
    assert reply.body["warnings"] == []


def test_two_amounts_that_disagree_are_kept_with_a_warning(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "Acme", "mrr": 100, "arr": 1300})
    assert reply.warned == {("revenue_mismatch", "arr")}
    assert (reply.data["mrr"], reply.data["arr"]) == (100, 1300)
    later = api.upsert("Acme", mrr=50)
    assert (later["arr"], later["revenue_basis"]) == (600, "mrr")


def test_a_negative_amount_is_refused(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "Acme", "mrr": -1, "arr": "-0.01"})
    assert reply.status == 400
    assert reply.refused == {"mrr": "must_be_non_negative", "arr": "must_be_non_negative"}


def test_a_renewal_in_the_past_is_flagged_and_goes_on_syncing(api: Api) -> None:
    """AMB-37."""
    shown = api.upsert("Acme", renewal_date="2026-02-20")
    assert (shown["renewal_overdue"], shown["days_until_renewal"]) == (True, -10)
    again = api.post("upsert_account", {"name": "Acme", "renewal_date": "2026-02-20"})
    assert (again.status, again.body["unchanged"]) == (200, True)
    assert api.upsert("Acme", renewal_date="2026-03-02")["renewal_overdue"] is False


def test_a_date_wins_over_days(api: Api) -> None:
    """AMB-38."""
    reply = api.post(
        "upsert_account", {"name": "Acme", "last_contact_date": "2026-03-01", "days": 9}
    )
    assert (reply.data["days"], reply.data["last_contact_on"]) == (1, "2026-03-01")
    assert reply.warned == {("conflicting_fields", "days")}


def test_only_a_reported_contact_moves_its_day(api: Api) -> None:
    """AMB-03."""
    api.upsert("Acme", days=10)
    api.later(days=5)
    shown = api.upsert("Acme", logins=30)
    assert (shown["days"], shown["last_contact_on"]) == (15, "2026-02-20")


def test_a_signal_arrives_with_its_source_and_time(api: Api) -> None:
    api.upsert("Acme", logins=30)
    api.later(hours=1)
    shown = api.another_key("customers:write", name="CRM sync").upsert("Acme", nps=9)
    assert shown["signals_received"] == {
        "logins": {"at": "2026-03-02T12:00:00.000Z", "source": "a key"},
        "nps": {"at": "2026-03-02T13:00:00.000Z", "source": "CRM sync"},
    }


def test_a_customer_too_large_to_keep_is_refused(api: Api) -> None:
    fields = {f"field {number}": "x" * 1000 for number in range(66)}
    reply = api.post("upsert_account", {"name": "Acme", "custom_fields": fields})
    assert (reply.status, reply.code) == (413, "payload_too_large")
    assert api.get("list_customers").data == []
