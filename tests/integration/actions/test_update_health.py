"""update_health sets one field of a customer that exists (IQ-016, AMB-59)."""

import pytest
from tests.integration.actions.api import Api

FIELDS = {
    "logins": 28,
    "adoption": 50,
    "tickets": 2,
    "nps": 7,
    "csat": 4,
    "days": 12,
    "growth": "mild",
    "mrr": 200,
    "arr": 600,
    "tier": "smb",
    "lifecycle": "won",
    "manager": "Sarah",
    "tags": ["vip"],
    "renewal_date": "2026-09-01",
    "next_touch": "2026-03-09",
    "since": "2020-01-01",
    "sentiment": "neutral",
    "note": "hello",
    "external_id": "crm-1",
}


@pytest.fixture
def acme(api: Api) -> str:
    return str(api.upsert("Acme", logins=22)["id"])


@pytest.mark.parametrize("field", FIELDS)
def test_any_field_can_be_set(api: Api, acme: str, field: str) -> None:
    reply = api.post("update_health", {"name": "acme", "field": field, "value": FIELDS[field]})
    assert (reply.data["id"], reply.data[field]) == (acme, FIELDS[field])
    assert reply.body["unchanged"] is False


def test_one_field_is_set_and_no_other_moves(api: Api, acme: str) -> None:
    before = api.customer(id=acme)
    after = api.post("update_health", {"id": acme, "field": "manager", "value": "Sarah"}).data
    moved = {name for name in before if before[name] != after[name]}
    assert moved == {"manager", "version", "dedupe_id", "updated_at"}


def test_one_custom_field_is_set_beside_the_others(api: Api, acme: str) -> None:
    api.upsert("Acme", custom_fields={"plan": "pro", "seats": 5})
    data = {"id": acme, "field": "custom_fields.seats", "value": 6}
    assert api.post("update_health", data).data["custom_fields"] == {"plan": "pro", "seats": 6}
    data = {"id": acme, "field": "custom_fields.plan", "value": None}
    assert api.post("update_health", data).data["custom_fields"] == {"seats": 6}


@pytest.mark.parametrize(
    ("field", "value"), [("last_contact_date", "2026-02-20"), ("last_contact_on", "2026-02-20")]
)
def test_the_day_of_the_last_contact_can_be_set(
    api: Api, acme: str, field: str, value: str
) -> None:
    shown = api.post("update_health", {"id": acme, "field": field, "value": value}).data
    assert (shown["last_contact_on"], shown["days"]) == (value, 10)


def test_tags_can_be_added(api: Api, acme: str) -> None:
    api.upsert("Acme", tags="a,b")
    data = {"id": acme, "field": "add_tags", "value": "c"}
    assert api.post("update_health", data).data["tags"] == ["a", "b", "c"]


def test_null_clears_the_field(api: Api, acme: str) -> None:
    reply = api.post("update_health", {"id": acme, "field": "logins", "value": None})
    assert (reply.data["logins"], reply.body["status"]) == (None, "unscored")


def test_the_score_can_be_set_by_hand(api: Api, acme: str) -> None:
    reply = api.post("update_health", {"id": acme, "field": "score", "value": 90})
    assert (reply.body["score"], reply.data["override"]["value"]) == (90, 90)


def test_a_customer_is_found_by_any_reference(api: Api, acme: str) -> None:
    api.upsert("Acme", external_id="crm-1")
    for reference in ({"id": acme}, {"external_id": "crm-1"}, {"name": "ACME"}):
        data = {**reference, "field": "mrr", "value": 5}
        assert api.post("update_health", data).data["id"] == acme


def test_nobody_is_created(api: Api) -> None:
    reply = api.post("update_health", {"name": "Nobody", "field": "logins", "value": 3})
    assert (reply.status, reply.code) == (404, "customer_not_found")
    assert api.get("list_customers").data == []


def test_a_rename_needs_the_id(api: Api, acme: str) -> None:
    data = {"field": "name", "value": "Acme Ltd"}
    assert api.post("update_health", {"name": "Acme", **data}).refused == {"field": "needs_id"}
    assert api.post("update_health", {"id": acme, **data}).data["name"] == "Acme Ltd"
    assert api.customer(name="acme ltd")["id"] == acme


def test_a_rename_to_a_taken_name_is_refused(api: Api, acme: str) -> None:
    api.upsert("Bolt")
    reply = api.post("update_health", {"id": acme, "field": "name", "value": "BOLT"})
    assert (reply.status, reply.code) == (409, "duplicate_name")


def test_an_external_id_that_is_taken_is_refused(api: Api, acme: str) -> None:
    api.upsert("Bolt", external_id="crm-1")
    reply = api.post("update_health", {"id": acme, "field": "external_id", "value": "crm-1"})
    assert (reply.status, reply.code) == (409, "duplicate_external_id")


def test_an_external_id_can_be_given_up(api: Api, acme: str) -> None:
    api.upsert("Acme", external_id="crm-1")
    api.post("update_health", {"id": acme, "field": "external_id", "value": None})
    assert api.get("get_customer", external_id="crm-1").status == 404


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        ({"name": "Acme", "value": 3}, {"field": "required"}),
        ({"name": "Acme", "field": "logins"}, {"value": "required"}),
        ({"name": "Acme", "field": "logins", "value": ""}, {"value": "required"}),
        ({"field": "logins", "value": 3}, {"id": "required"}),
        ({"name": "Acme", "field": "login", "value": 3}, {"field": "unknown_field"}),
        ({"name": "Acme", "field": "id", "value": "x"}, {"field": "unknown_field"}),
        ({"name": "Acme", "field": "version", "value": 9}, {"field": "unknown_field"}),
        ({"name": "Acme", "field": "custom_fields.", "value": 9}, {"field": "unknown_field"}),
        ({"name": "Acme", "field": "dry_run", "value": True}, {"field": "unknown_field"}),
        ({"name": "Acme", "field": "logins", "value": -1}, {"value": "must_be_non_negative"}),
        ({"name": "Acme", "field": "nps", "value": "high"}, {"value": "must_be_number"}),
    ],
)
@pytest.mark.usefixtures("acme")
def test_what_cannot_be_set_is_refused(
    api: Api, data: dict[str, object], refused: dict[str, str]
) -> None:
    reply = api.post("update_health", data)
    assert (reply.status, reply.refused) == (400, refused)


def test_a_name_cannot_be_taken_away(api: Api, acme: str) -> None:
    reply = api.post("update_health", {"id": acme, "field": "name", "value": None})
    assert reply.refused == {"value": "required"}


@pytest.mark.parametrize(
    ("logins", "stage"), [(5, "atrisk"), (14, "atrisk"), (15, "active"), (30, "active")]
)
def test_the_stage_follows_the_band(api: Api, acme: str, logins: int, stage: str) -> None:
    """IQ-020, AMB-33: 5 logins of 30 are 17 points."""
    reply = api.post("update_health", {"id": acme, "field": "logins", "value": logins})
    assert (reply.data["lifecycle"], reply.data["lifecycle_auto"]) == (stage, stage == "atrisk")


def test_the_stage_comes_back_with_the_band(api: Api, acme: str) -> None:
    for logins, stage in [(5, "atrisk"), (30, "active"), (5, "atrisk"), (2, "atrisk")]:
        data = {"id": acme, "field": "logins", "value": logins}
        assert api.post("update_health", data).data["lifecycle"] == stage


def test_a_stage_that_was_set_by_hand_stays(api: Api, acme: str) -> None:
    for stage in ("onboarding", "trial", "paused", "won", "churned", "atrisk"):
        api.post("update_health", {"id": acme, "field": "lifecycle", "value": stage})
        for logins in (5, 30):
            data = {"id": acme, "field": "logins", "value": logins}
            assert api.post("update_health", data).data["lifecycle"] == stage


def test_a_stage_in_the_same_request_wins(api: Api, acme: str) -> None:
    shown = api.post("upsert_account", {"id": acme, "logins": 2, "lifecycle": "active"}).data
    assert (shown["status"], shown["lifecycle"]) == ("critical", "active")


def test_an_automatic_stage_is_on_record(api: Api, acme: str) -> None:
    api.post("update_health", {"id": acme, "field": "logins", "value": 2})
    newest = api.get("list_changes").data[0]
    assert newest["automatic"] == ["lifecycle"]
    assert (newest["old"]["lifecycle"], newest["new"]["lifecycle"]) == ("active", "atrisk")
