"""What holds for every write: previews, version guards, Idempotency-Keys."""

from typing import Any

import pytest
from tests.integration.actions.api import Api, Reply
from tests.integration.actions.writes import WRITES, Write

from vitals.storage import keys

EACH = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
GUARDED = pytest.mark.parametrize(
    "write",
    [write for write in WRITES.values() if write.guarded],
    ids=[name for name, write in WRITES.items() if write.guarded],
)
HOURS = 23.99


def call(api: Api, write: Write, **more: object) -> Reply:
    return api.post(write.action, {**write.data, **more})


def call_under(api: Api, key: str, write: Write) -> Reply:
    return api.post(write.action, write.data, idempotency_key=key)


def test_every_action_that_writes_is_here(api: Api) -> None:
    described = api.get("list_actions").data
    writes = {each["action"] for each in described if "customers:write" in each["scopes"]}
    assert writes == {write.action for write in WRITES.values()}


@EACH
def test_a_dry_run_stores_nothing(api: Api, write: Write) -> None:
    """PLUS-05."""
    write.prepare(api)
    before = api.stored()
    reply = call(api, write, dry_run=True)
    assert (reply.status, reply.body["dry_run"]) == (200, True)
    assert api.stored() == before


@EACH
def test_a_dry_run_under_a_key_stores_nothing_and_uses_nothing_up(api: Api, write: Write) -> None:
    write.prepare(api)
    before = api.stored()
    data = {**write.data, "dry_run": True}
    assert api.post(write.action, data, idempotency_key="k").status == 200
    assert api.stored() == before
    reply = call_under(api, "k", write)
    assert (reply.status, "idempotency-replayed" in reply.headers) == (200, False)


@EACH
def test_a_dry_run_answers_what_would_happen(api: Api, write: Write) -> None:
    write.prepare(api)
    would, did = call(api, write, dry_run=True).body, call(api, write).body
    assert would.pop("dry_run") is True
    assert without_new_ids(would) == without_new_ids(did)


def without_new_ids(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without what is made anew by every call that creates."""
    if answer.get("created"):
        answer["data"] = {k: v for k, v in answer["data"].items() if k not in ("id", "dedupe_id")}
    for result in answer.get("results", []):
        result.pop("id", None)
        result.pop("dry_run", None)
    return answer


@GUARDED
def test_the_right_version_is_written_to(api: Api, write: Write) -> None:
    write.prepare(api)
    [stored] = api.get("list_customers", include_deleted="true").data or [{"version": 0}]
    assert call(api, write, if_version=stored["version"]).status == 200


@GUARDED
def test_a_wrong_version_is_refused_with_both(api: Api, write: Write) -> None:
    write.prepare(api)
    [stored] = api.get("list_customers", include_deleted="true").data or [{"version": 0}]
    before, version = api.stored(), stored["version"]
    for wrong in {0, version - 1, version + 1, version + 5} - {-1, version}:
        reply = call(api, write, if_version=wrong)
        assert (reply.status, reply.code) == (409, "version_conflict")
        assert (reply.body["if_version"], reply.body["version"]) == (wrong, version)
        assert api.stored() == before


def test_every_record_of_a_batch_has_a_version_of_its_own(api: Api) -> None:
    api.upsert("Acme", logins=1)
    records = [
        {"name": "Acme", "logins": 2, "if_version": 1},
        {"name": "Acme", "logins": 3, "if_version": 1},
        {"name": "Bolt", "if_version": 0},
        {"name": "Corp", "if_version": 1},
    ]
    results = api.post("batch_upsert", {"customers": records}).body["results"]
    assert [each["status"] for each in results] == ["updated", "error", "created", "error"]
    assert [each["error"]["code"] for each in results if "error" in each] == [
        "version_conflict",
        "version_conflict",
    ]
    assert (results[1]["error"]["if_version"], results[1]["error"]["version"]) == (1, 2)


def test_a_batch_has_no_version_of_its_own(api: Api) -> None:
    reply = api.post("batch_upsert", {"customers": [{"name": "Acme"}], "if_version": 3})
    assert reply.warned == {("unknown_field", "if_version")}


@EACH
def test_a_repeated_key_gets_the_same_answer(api: Api, write: Write) -> None:
    """AMB-40."""
    write.prepare(api)
    first = call_under(api, "k", write)
    before = api.stored()
    api.later(hours=HOURS)
    second = call_under(api, "k", write)
    assert (first.status, second.status) == (200, 200)
    assert second.body == first.body
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert api.stored() == before


@EACH
def test_a_key_is_good_for_one_body_only(api: Api, write: Write) -> None:
    write.prepare(api)
    call_under(api, "k", write)
    before = api.stored()
    reply = api.post(write.action, write.other, idempotency_key="k")
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")
    assert api.stored() == before


@EACH
def test_a_key_is_good_for_one_action_only(api: Api, write: Write) -> None:
    write.prepare(api)
    call_under(api, "k", write)
    before = api.stored()
    for action, data in [
        ("log_contact", {"name": "Acme"}),
        ("delete_customer", {"name": "Acme", "hard": True}),
        ("batch_upsert", {"customers": [{"name": "Acme", "logins": 9}]}),
    ]:
        if write.action == action and write.data == data:
            continue
        reply = api.post(action, data, idempotency_key="k")
        assert (reply.status, reply.code) == (422, "idempotency_key_reused"), action
        assert api.stored() == before


@EACH
def test_a_key_can_be_used_again_the_next_day(api: Api, write: Write) -> None:
    write.prepare(api)
    call_under(api, "k", write)
    api.later(hours=24)
    reply = call_under(api, "k", write)
    assert "idempotency-replayed" not in reply.headers
    assert reply.status in (200, 404, 409)


@EACH
def test_a_key_is_its_tenants_own(api: Api, write: Write) -> None:
    write.prepare(api)
    call_under(api, "k", write)
    other = api.another_tenant()
    write.prepare(other)
    reply = other.post(write.action, write.other, idempotency_key="k")
    assert (reply.status, "idempotency-replayed" in reply.headers) == (200, False)


def test_a_refused_write_leaves_its_key_unused(api: Api) -> None:
    reply = api.post("update_health", {"name": "Acme", "field": "mrr", "value": 1},
                     idempotency_key="k")  # fmt: skip
    assert reply.status == 404
    api.upsert("Acme")
    reply = api.post("update_health", {"name": "Acme", "field": "mrr", "value": 2},
                     idempotency_key="k")  # fmt: skip
    assert (reply.status, reply.data["mrr"]) == (200, 2)


def test_parameters_in_the_query_are_part_of_the_request(api: Api) -> None:
    for name in ("Acme", "Bolt"):
        query = {"action": "upsert_account", "name": name}
        reply = api.send("POST", query=query, body="", idempotency_key="k")
        if name == "Bolt":
            assert (reply.status, reply.code) == (422, "idempotency_key_reused")


def test_a_key_too_long_is_refused(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "Acme"}, idempotency_key="k" * 256)
    assert (reply.status, reply.refused) == (400, {"Idempotency-Key": "too_long"})
    assert api.post("upsert_account", {"name": "A"}, idempotency_key="k" * 255).status == 200


def test_half_a_batch_goes_on_under_its_key(api: Api) -> None:
    """What was written is answered again, what was not attempted is written now."""
    records = [{"name": f"Customer {number}", "logins": number} for number in range(4)]
    api.post("batch_upsert", {"customers": records}, idempotency_key="k")
    for key in list(api.stored()):
        if "#I#" in key[0] and key == answer_key(api, "k\n3"):
            api.table.delete_many([key])
    before = api.customer(name="Customer 0")["version"]
    reply = api.post("batch_upsert", {"customers": records}, idempotency_key="k")
    assert [each["status"] for each in reply.body["results"]][:3] == ["created"] * 3
    assert reply.body["results"][3]["status"] == "unchanged"
    assert api.customer(name="Customer 0")["version"] == before


def answer_key(api: Api, key: str) -> tuple[str, str]:
    return keys.answer(api.tenant, key)


SAME = {"name": "Acme", "logins": 22, "adoption": 75, "mrr": 100, "tags": "a,b", "days": 3}


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("upsert_account", SAME),
        ("upsert_account", {"name": "ACME  ", "logins": "22.0", "arr": 1200}),
        ("upsert_account", {"name": "Acme", "custom_fields": {"no": None}}),
        ("update_health", {"name": "Acme", "field": "logins", "value": "22"}),
        ("update_health", {"name": "Acme", "field": "tags", "value": ["a", "b", "A"]}),
        ("score_customer", {"name": "Acme"}),
        ("restore_customer", {"name": "Acme"}),
        ("batch_upsert", {"customers": [SAME, SAME]}),
    ],
)
def test_a_write_that_changes_nothing_wakes_nobody(
    api: Api, action: str, data: dict[str, Any]
) -> None:
    api.post("upsert_account", SAME)
    before, feed = api.customer(name="Acme"), api.get("list_changes").body
    api.later(minutes=1)
    reply = api.post(action, data)
    assert reply.body.get("unchanged", reply.body.get("summary", {}).get("unchanged"))
    after = api.customer(name="Acme")
    moved = {name for name in before if before[name] != after[name]}
    assert moved <= {"evaluated_at", "signals_received"}
    assert api.get("list_changes").body == feed
    assert api.get("list_customers", updated_since="2026-03-02T12:00:30Z").data == []


def test_the_same_values_still_arrive(api: Api) -> None:
    api.upsert("Acme", logins=22, nps=9)
    api.later(hours=1)
    shown = api.upsert("Acme", logins=22)
    received = {name: each["at"] for name, each in shown["signals_received"].items()}
    assert received == {"logins": "2026-03-02T13:00:00.000Z", "nps": "2026-03-02T12:00:00.000Z"}
    assert api.customer(name="Acme")["signals_received"] == shown["signals_received"]
