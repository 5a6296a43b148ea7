"""batch_upsert: each record by itself, in order, one bad one never costs the others (PLUS-08)."""

from typing import Any

import pytest
from tests.builders import an_id
from tests.integration.actions.api import Api, Reply


def batch(api: Api, *records: object, **more: object) -> Reply:
    return api.post("batch_upsert", {"customers": list(records), **more})


def outcomes(reply: Reply) -> list[str]:
    """The status of every record, or the code of its error."""
    assert reply.status == 200, reply.body
    results = reply.body["results"]
    assert [result["index"] for result in results] == list(range(len(results)))
    return [result.get("error", {}).get("code", result["status"]) for result in results]


def test_every_record_has_its_result_in_order(api: Api) -> None:
    api.upsert("Bolt", logins=3)
    reply = batch(
        api,
        {"name": "Acme", "logins": 22, "external_id": "crm-1"},
        {"name": "Bolt", "logins": 30},
        {"name": "bolt", "logins": "30"},
        {"name": "Corp", "logins": "many", "nps": 11},
        {"logins": 3},
        "Dune",
        None,
        {"id": an_id(9), "logins": 3},
        {"name": "Echo", "ticket": 1},
    )
    assert outcomes(reply) == [
        "created",
        "updated",
        "unchanged",
        "validation_error",
        "validation_error",
        "validation_error",
        "validation_error",
        "customer_not_found",
        "created",
    ]
    assert reply.body["summary"] == {
        "created": 2,
        "updated": 1,
        "unchanged": 1,
        "error": 5,
        "not_attempted": 0,
    }
    first, second, *_ = reply.body["results"]
    assert (first["score"], first["health"], first["version"]) == (73, "healthy", 1)
    assert (first["name"], first["external_id"]) == ("Acme", "crm-1")
    assert (second["score"], second["version"]) == (100, 2)
    refused = reply.body["results"][3]["error"]["errors"]
    assert {error["field"] for error in refused} == {"logins", "nps"}
    [warning] = reply.body["warnings"]
    assert (warning["did_you_mean"], warning["records"], warning["first_index"]) == (
        "tickets",
        1,
        8,
    )


def test_a_result_is_what_a_read_then_shows(api: Api) -> None:
    [result] = batch(api, {"name": "Acme", "logins": 22}).body["results"]
    shown = api.customer(id=result["id"])
    assert (shown["score"], shown["status"]) == (result["score"], result["health"])


@pytest.mark.parametrize("reference", [{"name": "Acme"}, {"external_id": 1001}, {"name": 1001}])
def test_records_of_one_customer_are_applied_in_order(api: Api, reference: dict[str, Any]) -> None:
    records = [{"name": "Acme", **reference, "logins": number} for number in range(24)]
    batch(api, *records)
    history = api.get("get_history", **reference, limit=100).data
    assert [change["new"]["logins"] for change in history] == list(range(23, -1, -1))


def test_records_that_mean_one_customer_by_different_names_are_in_order(api: Api) -> None:
    made = api.upsert("Acme", external_id="crm-1", logins=0)
    references = [{"id": made["id"]}, {"external_id": "crm-1"}, {"name": "ACME"}]
    records = [{**references[number % 3], "logins": number} for number in range(1, 13)]
    assert set(outcomes(batch(api, *records))) == {"updated"}
    history = api.get("get_history", id=made["id"]).data
    assert [change["new"]["logins"] for change in history] == list(range(12, -1, -1))


def test_a_rename_inside_a_batch_is_seen_by_what_follows(api: Api) -> None:
    made = api.upsert("Acme")
    reply = batch(
        api,
        {"id": made["id"], "name": "Bolt"},
        {"name": "Acme", "logins": 1},
        {"name": "Bolt", "logins": 2},
    )
    assert outcomes(reply) == ["updated", "created", "updated"]
    assert reply.body["results"][2]["id"] == made["id"]
    assert api.customer(name="Acme")["logins"] == 1


def test_a_deleted_customer_is_an_error_of_its_record(api: Api) -> None:
    """AMB-12."""
    api.upsert("Acme")
    api.post("delete_customer", {"name": "Acme"})
    reply = batch(api, {"name": "Acme", "logins": 1}, {"name": "Bolt"})
    assert outcomes(reply) == ["in_trash", "created"]
    assert "purge_at" in reply.body["results"][0]["error"]
    assert outcomes(batch(api, {"name": "Acme", "on_deleted": "restore"})) == ["updated"]


def test_what_is_said_of_a_batch_holds_for_every_record(api: Api) -> None:
    reply = batch(api, {"name": "Acme", "ticket": 1}, {"name": "Bolt"}, strict=True)
    assert outcomes(reply) == ["validation_error", "created"]
    reply = batch(api, {"name": "Bolt"}, {"name": "Corp"}, create_only=True)
    assert outcomes(reply) == ["already_exists", "created"]


@pytest.mark.parametrize("said", [True, "true", 1, "yes"])
def test_no_record_gets_out_of_a_dry_run(api: Api, said: object) -> None:
    before = api.stored()
    records = [{"name": "Acme", "dry_run": False}, {"name": "Bolt", "dry_run": ""}]
    reply = batch(api, *records, dry_run=said)
    assert (outcomes(reply), reply.body["dry_run"]) == (["created", "created"], True)
    assert api.stored() == before


def test_one_record_may_be_tried_alone(api: Api) -> None:
    reply = batch(api, {"name": "Acme", "dry_run": True}, {"name": "Bolt"})
    assert outcomes(reply) == ["created", "created"]
    assert [result.get("dry_run") for result in reply.body["results"]] == [True, None]
    assert [each["name"] for each in api.get("list_customers").data] == ["Bolt"]


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        ({}, "required"),
        ({"customers": {}}, "must_be_list"),
        ({"customers": "x"}, "must_be_list"),
        ({"customers": []}, "out_of_range"),
        ({"customers": [{}] * 1001}, "out_of_range"),
    ],
)
def test_a_batch_of_another_shape_is_refused(api: Api, data: dict[str, Any], refused: str) -> None:
    reply = api.post("batch_upsert", data)
    assert (reply.status, reply.refused) == (400, {"customers": refused})


def test_a_reference_that_no_key_could_hold_costs_the_others_nothing(api: Api) -> None:
    long = "x" * 5000
    reply = batch(api, {"id": long}, {"external_id": long}, {"name": long}, {"name": "Acme"})
    assert outcomes(reply) == ["validation_error"] * 3 + ["created"]


def test_what_there_is_no_time_for_is_not_attempted(api: Api) -> None:
    api.context.seconds = 2
    reply = batch(api, {"name": "Acme"}, {"name": "Bolt"})
    assert outcomes(reply) == ["not_attempted", "not_attempted"]
    assert reply.body["summary"]["not_attempted"] == 2
    assert api.get("list_customers").data == []


def test_a_thousand_records_are_one_request(api: Api) -> None:
    records = [{"name": f"Customer {n % 250}", "logins": n % 40} for n in range(1000)]
    reply = batch(api, *records)
    assert reply.body["summary"]["created"] == 250
    assert reply.body["summary"]["error"] == 0
    assert api.get("list_customers", sort="name").body["total"] == 250
    last = {record["name"]: record["logins"] for record in records}
    stored = api.get("list_customers", limit=500).data
    assert {each["name"]: each["logins"] for each in stored} == last
