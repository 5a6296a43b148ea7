"""An e-mail domain is one customer's (LU-033): taken, moved, given up, and never a way to find."""

from itertools import pairwise

import pytest
from tests.integration.actions.api import Api
from tests.integration.actions.test_races import at_once, posting, statuses
from tests.integration.faults.kept import check, kept

from vitals.storage import keys


def holder(api: Api, domain: str) -> object:
    item = api.stored().get(keys.lock(api.tenant, "email_domain", domain), {})
    return item.get("row")


def test_a_domain_is_shown_wherever_its_customer_is(api: Api) -> None:
    acme = api.upsert("Acme", email_domain=" Acme.EXAMPLE ")
    assert acme["email_domain"] == "acme.example"
    assert holder(api, "acme.example") == acme["id"]
    [listed] = api.get("list_customers").data
    assert listed["email_domain"] == "acme.example"
    [change] = api.get("get_history", id=acme["id"]).data
    assert "email_domain" in change["changed"]
    assert change["new"]["email_domain"] == "acme.example"
    assert api.upsert("Bolt")["email_domain"] is None


@pytest.mark.parametrize(
    "domain",
    [
        "@acme.example", "www.acme.example", "acme", "acme.", ".acme.example", "a..example",
        "acme.-x",
        "-acme.example", "acme-.example", "ac_me.example", "https://acme.example", "acme.example/x",
        "ada@acme.example", "acmé.example", "acme.example\u212a", "10.0.0.1", "a b.example",
        f"{'a' * 64}.example", f"{'a.' * 124}example", 7, ["acme.example"],
    ],
)  # fmt: skip
def test_what_is_no_domain_is_refused(api: Api, domain: object) -> None:
    reply = api.post("upsert_account", {"name": "Acme", "email_domain": domain})
    assert (reply.status, reply.refused) == (400, {"email_domain": "must_be_domain"})


@pytest.mark.parametrize(
    "domain",
    ["a.example", "xn--acm-dma.example", "a-b.c-d.example", f"{'a.' * 123}example", "3.eu"],
)
def test_a_host_name_is_a_domain(api: Api, domain: str) -> None:
    assert api.upsert("Acme", email_domain=domain)["email_domain"] == domain


def test_a_domain_that_is_taken_is_refused_and_finds_nobody(api: Api) -> None:
    acme = api.upsert("Acme", email_domain="acme.example")
    bolt = api.upsert("Bolt")
    before = api.stored()
    for data in (
        {"name": "Corp", "email_domain": "ACME.example"},
        {"name": "Bolt", "email_domain": "acme.example", "logins": 3},
        {"id": bolt["id"], "email_domain": "acme.example"},
        {"name": "Corp", "email_domain": "acme.example", "dry_run": True},
    ):
        reply = api.post("upsert_account", data)
        assert (reply.status, reply.code) == (409, "duplicate_email_domain")
        assert reply.body["customer_id"] == acme["id"]
    data = {"id": bolt["id"], "field": "email_domain", "value": "acme.example"}
    assert api.post("update_health", data).code == "duplicate_email_domain"
    assert api.stored() == before
    reply = api.post("upsert_account", {"email_domain": "acme.example", "logins": 3})
    assert reply.refused == {"name": "required"}


def test_null_gives_a_domain_up_and_another_one_moves(api: Api) -> None:
    acme = api.upsert("Acme", email_domain="acme.example")
    api.upsert("Acme", logins=3)
    assert holder(api, "acme.example") == acme["id"]
    moved = api.upsert("Acme", email_domain="acme.test")
    assert (moved["email_domain"], holder(api, "acme.example")) == ("acme.test", None)
    bolt = api.upsert("Bolt", email_domain="acme.example")
    api.post("update_health", {"name": "Acme", "field": "email_domain", "value": None})
    assert api.customer(name="Acme")["email_domain"] is None
    assert (holder(api, "acme.test"), holder(api, "acme.example")) == (None, bolt["id"])
    check(kept(api))


def test_the_trash_keeps_a_domain_until_its_time_is_over(api: Api) -> None:
    acme = api.upsert("Acme", email_domain="acme.example")
    api.post("delete_customer", {"name": "Acme"})
    reply = api.post("upsert_account", {"name": "Bolt", "email_domain": "acme.example"})
    assert (reply.code, reply.body["customer_id"]) == ("duplicate_email_domain", acme["id"])
    api.later(days=30)
    bolt = api.upsert("Bolt", email_domain="acme.example")
    assert holder(api, "acme.example") == bolt["id"]
    assert api.post("restore_customer", {"id": acme["id"]}).code == "customer_not_found"
    check(kept(api))


def test_a_new_customer_takes_name_and_domain_of_one_whose_time_is_over(api: Api) -> None:
    api.upsert("Acme", email_domain="acme.example")
    api.post("delete_customer", {"name": "Acme"})
    api.later(days=30)
    assert api.upsert("Acme", email_domain="acme.example")["version"] == 1
    check(kept(api))


def test_a_hard_delete_frees_the_domain(api: Api) -> None:
    api.upsert("Acme", email_domain="acme.example")
    api.post("delete_customer", {"name": "Acme", "hard": True})
    assert "acme.example" not in str(api.stored())
    assert api.upsert("Bolt", email_domain="acme.example")["version"] == 1


def test_one_domain_goes_to_one_of_many_creators(api: Api) -> None:
    calls = [
        posting(api, "upsert_account", {"name": f"Customer {n}", "email_domain": "acme.example"})
        for n in range(8)
    ]
    replies = at_once(*calls)
    assert statuses(replies) == [200] + [409] * 7
    assert {each.code for each in replies if each.status == 409} == {"duplicate_email_domain"}
    check(kept(api))


def test_a_batch_hands_domains_on_in_its_order(api: Api) -> None:
    names = [f"Customer {n}" for n in range(6)]
    for number, name in enumerate(names):
        api.upsert(name, email_domain=f"d{number}.example")
    records: list[dict[str, object]] = [{"name": names[0], "email_domain": None}]
    for number, (_, name) in enumerate(pairwise(names)):
        records.append({"name": name, "email_domain": f"d{number}.example"})
    reply = api.post("batch_upsert", {"customers": records})
    assert reply.body["summary"]["updated"] == 6
    first, second = ({"name": name, "email_domain": "new.example"} for name in ("One", "Two"))
    results = api.post("batch_upsert", {"customers": [first, second]}).body["results"]
    assert [each["status"] for each in results] == ["created", "error"]
    assert results[1]["error"]["code"] == "duplicate_email_domain"
    check(kept(api))


def test_another_tenant_has_its_own_domains(api: Api) -> None:
    api.upsert("Acme", email_domain="acme.example")
    assert api.another_tenant().upsert("Bolt", email_domain="acme.example")["version"] == 1
