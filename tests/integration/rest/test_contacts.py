"""Contacts by /v1: the people at a customer, each with its version, for those who may (LU-040)."""

from typing import Any

import pytest
from tests.integration.rest.client import Rest

MARIA = {
    "name": "Maria Lopez",
    "email": "maria@acme.example",
    "title": "COO",
    "is_champion": True,
    "whatsapp_number": "+14155550123",
}


@pytest.fixture
def contacts(rest: Rest) -> str:
    """The path of a customer's contacts."""
    made = rest.post("/v1/customers", {"name": "Acme"})
    return f"/v1/customers/{made.body['id']}/contacts"


def test_a_contact_goes_there_and_back(rest: Rest, contacts: str) -> None:
    made = rest.post(contacts, MARIA)
    assert (made.status, made.headers["etag"]) == (201, '"2"')
    place = f"{contacts}/{made.body['id']}"
    assert made.headers["location"] == place
    assert made.body.keys() == {
        *MARIA, "id", "customer_id", "created_at", "updated_at", "version",
    }  # fmt: skip
    found = rest.get(place)
    assert (found.body, found.headers["etag"]) == (made.body, '"2"')
    page = rest.get(contacts)
    assert page.body == {"data": [made.body], "next_cursor": None, "has_more": False}
    changed = rest.patch(place, {"title": "CEO", "whatsapp_number": None})
    assert changed.status == 200
    expected = {**made.body, "title": "CEO", "whatsapp_number": None, "version": 3}
    assert {**changed.body, "updated_at": made.body["updated_at"]} == expected
    gone = rest.delete(place)
    assert (gone.status, gone.body) == (204, None)
    assert rest.get(place).code == "contact_not_found"


def test_pages_of_contacts_follow_each_other(rest: Rest, contacts: str) -> None:
    for number in range(3):
        rest.post(contacts, {"name": f"Person {number}"})
        rest.api.later(seconds=1)
    first = rest.get(contacts, limit=2)
    assert first.body["has_more"]
    last = rest.get(contacts, limit=2, cursor=first.body["next_cursor"])
    names = [each["name"] for each in (*first.body["data"], *last.body["data"])]
    assert names == ["Person 0", "Person 1", "Person 2"]


def test_a_contact_is_changed_as_it_was_read_or_not_at_all(rest: Rest, contacts: str) -> None:
    made = rest.post(contacts, MARIA)
    place, read = f"{contacts}/{made.body['id']}", made.headers["etag"]
    assert rest.patch(place, {"title": "CEO"}, if_match=read).status == 200
    stale = rest.patch(place, {"title": "CTO"}, if_match=read)
    assert (stale.status, stale.code) == (412, "precondition_failed")
    assert rest.delete(place, if_match=read).status == 412
    assert rest.get(place).body["title"] == "CEO"


def test_an_address_that_is_taken_is_a_conflict(rest: Rest, contacts: str) -> None:
    rest.post(contacts, MARIA)
    again = rest.post(contacts, {"name": "Else", "email": "MARIA@acme.example"})
    assert (again.status, again.code) == (409, "duplicate_contact")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": None}, 400),
        ({"name": "Ada", "is_champion": "yes"}, 400),
        ({"name": "Ada", "whatsapp_number": "555"}, 400),
        ({"name": "Ada", "phone": "+14155550123"}, 400),
        ({"name": "Ada", "email": "no address"}, 422),
    ],
)
def test_what_is_no_contact_is_refused(
    rest: Rest, contacts: str, body: dict[str, Any], status: int
) -> None:
    assert rest.post(contacts, body).status == status
    assert rest.get(contacts).body["data"] == []


def test_one_key_creates_one_contact(rest: Rest, contacts: str) -> None:
    first = rest.post(contacts, MARIA, idempotency_key="k")
    again = rest.post(contacts, MARIA, idempotency_key="k")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotency-replayed"] == "true"


def test_contacts_of_a_customer_that_is_not_there_are_not_found(rest: Rest, contacts: str) -> None:
    rest.post(contacts, MARIA)
    rest.delete(contacts.removesuffix("/contacts"))
    for path in (contacts, "/v1/customers/01KJQ8ZJ9W3B0C6V4S7T2R5XYZ/contacts"):
        assert rest.get(path).code == "customer_not_found"
        assert rest.post(path, MARIA).code == "customer_not_found"
