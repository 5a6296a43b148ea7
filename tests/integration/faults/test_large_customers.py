"""Customers near 64 KB: what fits is kept to the letter, what does not changes nothing."""

from __future__ import annotations

from typing import cast

import pytest
from tests.integration.actions.api import Api
from tests.integration.faults.kept import check, kept

KB = 1024
LETTERS = {"ascii": "x", "two bytes": "é", "four bytes": "😀", "escaped": '"', "control": "\x01"}
COST = {"ascii": 1, "two bytes": 2, "four bytes": 4, "escaped": 2, "control": 6}
"""The bytes of a letter in a JSON text."""

letters = pytest.mark.parametrize("letter", LETTERS)


def filling(letter: str, size: int) -> dict[str, str]:
    """Custom fields that take about so many bytes."""
    return {"text": LETTERS[letter] * (size // COST[letter])}


@letters
def test_63_kb_pass_and_read_back_equal(api: Api, letter: str) -> None:
    fields = filling(letter, 63 * KB)
    made = api.upsert("Acme", custom_fields=fields, mrr=5)
    assert made["custom_fields"] == fields
    api.restart()
    assert api.customer(id=made["id"])["custom_fields"] == fields
    assert api.customer(id=made["id"]) == {**made, "priority": None, "priority_score": None} | {
        name: api.customer(id=made["id"])[name] for name in ("priority", "priority_score")
    }
    check(kept(api))


@letters
@pytest.mark.parametrize("key", ["key", ""], ids=["with a key", "without a key"])
def test_65_kb_are_a_413_and_change_nothing(api: Api, letter: str, key: str) -> None:
    api.upsert("Acme", custom_fields={"small": 1})
    before = kept(api).items
    for data in ({"name": "Acme"}, {"name": "Bolt"}):
        large = {**data, "custom_fields": filling(letter, 65 * KB)}
        reply = api.post("upsert_account", large, idempotency_key=key)
        assert (reply.status, reply.code) == (413, "payload_too_large")
        assert kept(api).items == before
    assert api.upsert("Acme", mrr=1)["version"] == 2


def test_a_dry_run_of_65_kb_is_a_413_too(api: Api) -> None:
    large = {"name": "Acme", "custom_fields": filling("ascii", 65 * KB), "dry_run": True}
    assert api.post("upsert_account", large).code == "payload_too_large"


def test_two_writes_that_fit_alone_do_not_fit_together(api: Api) -> None:
    api.upsert("Acme", custom_fields={"one": "x" * 40 * KB})
    reply = api.post("upsert_account", {"name": "Acme", "custom_fields": {"two": "x" * 40 * KB}})
    assert reply.code == "payload_too_large"
    assert list(api.customer(name="Acme")["custom_fields"]) == ["one"]
    field = {"name": "Acme", "field": "custom_fields.two", "value": "x" * 40 * KB}
    assert api.post("update_health", field).code == "payload_too_large"
    check(kept(api))


def test_every_write_of_a_63_kb_customer_goes_through(api: Api) -> None:
    api.upsert("Acme", external_id="x", mrr=1, custom_fields=filling("ascii", 63 * KB))
    for number, (action, data) in enumerate(
        [
            ("upsert_account", {"custom_fields": {"text": "y" * 63 * KB}}),
            ("update_health", {"field": "custom_fields.text", "value": "z" * 63 * KB}),
            ("log_contact", {}),
            ("upsert_account", {"score": 40, "override_reason": "they called"}),
            ("score_customer", {}),
            ("delete_customer", {}),
            ("restore_customer", {}),
        ]
    ):
        asked = {"external_id": "x", **cast("dict[str, object]", data)}
        first = api.post(action, asked, idempotency_key=str(number))
        assert (first.status, first.data["version"]) == (200, number + 2)
        assert api.post(action, asked, idempotency_key=str(number)).body == first.body
        check(kept(api))
    assert len(api.get("get_history", external_id="x").data) == 8


def test_a_batch_refuses_the_large_record_alone(api: Api) -> None:
    records = [
        {"name": name, "custom_fields": {"text": "x" * size * KB}}
        for name, size in (("Acme", 63), ("Bolt", 65), ("Corp", 63))
    ]
    results = api.post("batch_upsert", {"customers": records}).body["results"]
    assert [each["status"] for each in results] == ["created", "error", "created"]
    assert results[1]["error"]["code"] == "payload_too_large"
    check(kept(api))


def test_a_list_of_large_customers_is_whole(api: Api) -> None:
    for number in range(20):
        api.upsert(f"Customer {number}", custom_fields=filling("ascii", 63 * KB))
    assert len(api.get("list_customers").data) == 20
    assert len(api.get("list_changes", limit=500).data) == 20
