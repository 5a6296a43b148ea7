"""Customers over /v1: created, read, changed, deleted, restored, erased (LU-021 to 037)."""

from datetime import timedelta

import pytest
from tests.integration.rest.client import Rest


def test_a_new_customer_has_the_documented_shape_and_no_score(rest: Rest) -> None:
    reply = rest.post(
        "/v1/customers",
        {
            "name": "Acme Corp (test)",
            "email_domain": "acme-test.example",
            "arr": 50000,
            "owner_email": "maria@vitals.example",
            "status": "active",
            "custom_fields": {"tier": "Platinum", "industry": "Fintech"},
        },
    )
    assert reply.status == 201
    made = reply.body
    assert reply.headers["location"] == f"/v1/customers/{made['id']}"
    assert made["tenant_id"] == rest.api.tenant.id
    assert (made["health_score"], made["health_status"]) == (None, "unscored")
    assert (made["arr"], made["mrr"]) == (50000, 4166.67)
    assert made["owner_id"] == made["owner_email"] == "maria@vitals.example"
    assert rest.get(f"/v1/customers/{made['id']}").body == made


def test_both_apis_show_one_customer(rest: Rest) -> None:
    made = rest.created(signals={"logins": 22, "nps": 9}, tags=["emea"])
    told = rest.api.post("get_customer", {"id": made["id"]}).data
    assert (made["health_score"], made["band"], made["score_exact"], made["coverage"]) == (
        told["score"],
        told["status"],
        told["score_exact"],
        told["coverage"],
    )
    rest.api.post("upsert_account", {"id": made["id"], "logins": 3})
    assert rest.get(f"/v1/customers/{made['id']}").body["signals"]["logins"] == 3


def test_a_name_a_domain_and_an_external_id_belong_to_one_customer(rest: Rest) -> None:
    rest.created(email_domain="acme.example", external_id="crm-1")
    for fields, code in (
        ({"name": "acme  corp"}, "already_exists"),
        ({"name": "Bolt", "email_domain": "acme.example"}, "duplicate_email_domain"),
        ({"name": "Bolt", "external_id": "crm-1"}, "already_exists"),
    ):
        reply = rest.post("/v1/customers", fields)
        assert (reply.status, reply.code) == (409, code), reply.body


def test_a_post_under_one_key_makes_one_customer(rest: Rest) -> None:
    first = rest.post("/v1/customers", {"name": "Acme"}, idempotency_key="quick-1")
    again = rest.post("/v1/customers", {"name": "Acme"}, idempotency_key="quick-1")
    quoted = rest.post("/v1/customers", {"name": "Acme"}, idempotency_key='"quick-1"')
    assert first.status == again.status == quoted.status == 201
    assert first.body == again.body == quoted.body
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = rest.post("/v1/customers", {"name": "Bolt"}, idempotency_key="quick-1")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    bad = rest.post("/v1/customers", {"name": "Bolt"}, idempotency_key="ümlaut")
    assert (bad.status, bad.refused) == (400, {"Idempotency-Key": "bad_form"})


def test_every_wrong_field_is_named_and_nothing_is_stored(rest: Rest) -> None:
    reply = rest.post(
        "/v1/customers",
        {"name": "", "arr": -5, "status": "gone", "renewal_date": "2026-13-01", "industri": "x"},
    )
    assert (reply.status, reply.code) == (400, "validation_error")
    assert reply.refused == {
        "name": "required",
        "arr": "must_be_positive",
        "status": "unknown_value",
        "renewal_date": "must_be_date",
        "industri": "unknown_field",
    }
    assert rest.get("/v1/customers").body["data"] == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"arr": "50000"}, "must_be_number"),
        ({"tags": "emea"}, "must_be_list"),
        ({"name": None}, "must_be_string"),
        ({"custom_fields": []}, "must_be_object"),
        ({"arr": True}, "must_be_number"),
    ],
)
def test_a_value_of_another_type_is_refused(
    rest: Rest, given: dict[str, object], code: str
) -> None:
    made = rest.created()
    reply = rest.patch(f"/v1/customers/{made['id']}", given)
    assert (reply.status, reply.refused) == (400, {next(iter(given)): code})


def test_a_misspelled_parameter_is_no_filter_that_lets_all_pass(rest: Rest) -> None:
    reply = rest.get("/v1/customers", stauts="active")
    assert reply.status == 400
    assert "did you mean status?" in reply.body["detail"]


def test_a_patch_merges_and_null_clears(rest: Rest) -> None:
    made = rest.created(arr=100, custom_fields={"tier": "Gold", "industry": "Fintech"}, tags=["a"])
    path = f"/v1/customers/{made['id']}"
    changed = rest.patch(path, {"custom_fields": {"tier": "Platinum"}, "add_tags": ["b"]}).body
    assert changed["custom_fields"] == {"tier": "Platinum", "industry": "Fintech"}
    assert changed["tags"] == ["a", "b"]
    assert changed["arr"] == 100
    cleared = rest.patch(path, {"arr": None, "custom_fields": {"tier": None}}).body
    assert (cleared["arr"], cleared["mrr"]) == (None, None)
    assert cleared["custom_fields"] == {"industry": "Fintech"}


def test_of_two_who_change_what_they_read_one_wins(rest: Rest) -> None:
    made = rest.post("/v1/customers", {"name": "Acme"})
    path = f"/v1/customers/{made.body['id']}"
    first = rest.patch(path, {"arr": 1}, if_match=made.etag)
    second = rest.patch(path, {"arr": 2}, if_match=made.etag)
    assert first.status == 200
    assert (second.status, second.code) == (412, "precondition_failed")
    assert rest.get(path).body["arr"] == 1
    assert rest.patch(path, {"arr": 3}, if_match=first.etag).status == 200
    assert rest.patch(path, {"arr": 4}, if_match="*").status == 200
    assert rest.patch(path, {"arr": 5}, if_match='W/"4"').status == 412
    assert rest.delete(path, if_match=made.etag).status == 412


def test_a_status_is_the_stage_in_four_words(rest: Rest) -> None:
    made = rest.created(lifecycle="onboarding")
    path = f"/v1/customers/{made['id']}"
    assert made["status"] == "active"
    kept = rest.patch(path, {"status": "active"}).body
    assert (kept["status"], kept["lifecycle"]) == ("active", "onboarding")
    for status in ("trial", "paused", "churned"):
        moved = rest.patch(path, {"status": status}).body
        assert (moved["status"], moved["lifecycle"]) == (status, status)
    back = rest.patch(path, {"status": "active"}).body
    assert (back["status"], back["lifecycle"]) == ("active", "active")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"owner_id": "a@vitals.example", "owner_email": "b@vitals.example"}, "owner_email"),
        ({"owner_id": "a@vitals.example", "owner_email": None}, "owner_email"),
        ({"owner_id": None, "owner_email": "b@vitals.example"}, "owner_email"),
        ({"status": "churned", "lifecycle": "active"}, "status"),
        ({"status": "active", "lifecycle": "trial"}, "status"),
    ],
)
def test_two_names_of_one_thing_that_contradict_each_other_are_refused(
    rest: Rest, body: dict[str, object], field: str
) -> None:
    made = rest.created()
    for reply in (
        rest.post("/v1/customers", {"name": "Bolt Ltd", **body}),
        rest.patch(f"/v1/customers/{made['id']}", body),
    ):
        assert (reply.status, reply.refused) == (422, {field: "conflicting_fields"})
    assert [each["id"] for each in rest.get("/v1/customers").body["data"]] == [made["id"]]
    assert rest.get(f"/v1/customers/{made['id']}").body["version"] == made["version"]


@pytest.mark.parametrize("owner", ["maria@vitals.example", "Maria", None])
@pytest.mark.parametrize("stage", ["onboarding", "atrisk", "churned"])
def test_what_was_read_may_be_sent_back(rest: Rest, owner: str | None, stage: str) -> None:
    made = rest.created(owner_id=owner, lifecycle=stage)
    names = ("owner_email", "owner_id", "status", "lifecycle")
    for body in ({name: made[name] for name in names}, {name: made[name] for name in names[::-1]}):
        back = rest.patch(f"/v1/customers/{made['id']}", body)
        assert (back.status, back.body) == (200, made)


def test_a_renewal_does_not_become_a_day_that_is_over(rest: Rest) -> None:
    today = rest.api.clock.now.date()
    made = rest.created(renewal_date=str(today))
    path = f"/v1/customers/{made['id']}"
    rest.api.clock.now += timedelta(days=2)
    again = rest.patch(path, {"renewal_date": str(today), "arr": 1})
    assert (again.status, again.body["renewal_overdue"]) == (200, True)
    other = rest.patch(path, {"renewal_date": str(today + timedelta(days=1))})
    assert (other.status, other.code) == (422, "unprocessable")
    assert other.refused == {"renewal_date": "in_the_past"}


def test_a_deleted_customer_is_gone_until_it_is_restored(rest: Rest) -> None:
    made = rest.created(signals={"logins": 22})
    path = f"/v1/customers/{made['id']}"
    assert rest.delete(path).status == 204
    for reply in (rest.get(path), rest.patch(path, {"arr": 1}), rest.delete(path)):
        assert (reply.status, reply.code) == (404, "customer_not_found")
    assert rest.delete(f"{path}?hard=true").status == 404
    assert rest.get("/v1/customers").body["data"] == []
    [trashed] = rest.get("/v1/trash").body["data"]
    assert trashed["id"] == made["id"]
    restored = rest.post(f"/v1/trash/{made['id']}/restore")
    assert (restored.status, restored.body["health_score"]) == (200, made["health_score"])
    assert rest.post(f"/v1/trash/{made['id']}/restore").status == 404
    assert rest.get("/v1/trash").body["data"] == []


def test_an_erased_customer_takes_a_key_that_may_and_never_comes_back(rest: Rest) -> None:
    made, other = rest.created(), rest.created(name="Bolt")
    writer = rest.holding("customers:read", "customers:write")
    refused = writer.delete(f"/v1/customers/{made['id']}?hard=true")
    assert (refused.status, refused.body["scope"]) == (403, "admin:*")
    assert rest.delete(f"/v1/customers/{made['id']}?hard=true").status == 204
    assert rest.delete(f"/v1/customers/{other['id']}").status == 204
    assert writer.delete(f"/v1/trash/{other['id']}").status == 403
    assert rest.delete(f"/v1/trash/{other['id']}").status == 204
    for gone in (made["id"], other["id"]):
        assert rest.post(f"/v1/trash/{gone}/restore").status == 404
        assert rest.delete(f"/v1/trash/{gone}").status == 404
    assert rest.created()["id"] != made["id"]


def test_filters_are_and_and_several_values_are_or(rest: Rest) -> None:
    rest.created(name="Acme", status="trial", arr=100, tags=["emea"], owner_email="a@b.example")
    rest.created(name="Bolt", arr=300, email_domain="acme.example", signals={"logins": 18})
    rest.created(name="Coil", status="paused", renewal_date="2026-03-20", signals={"logins": 30})
    for query, names in (
        ({"status": "trial,paused"}, {"Acme", "Coil"}),
        ({"status": "active"}, {"Bolt"}),
        ({"q": "acme"}, {"Acme", "Bolt"}),
        ({"min_arr": "100", "max_arr": "299.5"}, {"Acme"}),
        ({"min_arr": "1e-3", "max_arr": "2.5E+2"}, {"Acme"}),
        ({"renewal_within_days": 30}, {"Coil"}),
        ({"health_status": "healthy"}, {"Coil"}),
        ({"health_status": "neutral"}, {"Bolt"}),
        ({"segment_id": "EMEA"}, {"Acme"}),
        ({"owner_id": "A@b.example"}, {"Acme"}),
        ({"owner_id": "A@b.example", "status": "paused"}, set()),
    ):
        found = rest.get("/v1/customers", **query)
        assert {each["name"] for each in found.body["data"]} == names, query


def test_pages_hold_everybody_once(rest: Rest) -> None:
    made = {rest.created(name=f"Customer {number}")["id"] for number in range(5)}
    for sort in ("updated_at", "name"):
        seen: list[str] = []
        query: dict[str, object] = {"limit": 2, "sort": sort}
        while True:
            page = rest.get("/v1/customers", **query).body
            seen += [each["id"] for each in page["data"]]
            if not page["has_more"]:
                break
            query["cursor"] = page["next_cursor"]
        assert (len(seen), set(seen)) == (5, made)
        assert page["next_cursor"] is None
    other = rest.get("/v1/customers", limit=2, sort="name", order="asc", cursor=query["cursor"])
    assert (other.status, other.refused) == (422, {"cursor": "invalid_cursor"})


def test_a_misspelled_signal_is_refused_and_nothing_is_stored(rest: Rest) -> None:
    made = rest.created(signals={"logins": 3})
    path = f"/v1/customers/{made['id']}"
    for signals in ({"login": 30}, {"score": 5}, {"mrr": 5}, {"logins": 30, "name": 1}):
        reply = rest.patch(path, {"arr": 9, "signals": signals})
        assert reply.status == 422, signals
        assert set(reply.refused.values()) == {"unknown_field"}
    assert rest.post("/v1/customers", {"name": "Bolt", "signals": {"login": 1}}).status == 422
    assert rest.get(path).body["arr"] is None


def test_a_wrong_signal_is_named_where_it_stood(rest: Rest) -> None:
    path = f"/v1/customers/{rest.created()['id']}"
    reply = rest.patch(path, {"signals": {"adoption": 101}})
    assert (reply.status, reply.refused) == (422, {"signals.adoption": "out_of_range"})
    assert "action" not in rest.post("/v1/customers", "[]").body["detail"]


def test_the_largest_amount_is_shown_by_year_and_by_month(rest: Rest) -> None:
    made = rest.created(mrr=10**13)
    assert (made["mrr"], made["arr"]) == (10**13, 12 * 10**13)
    assert rest.get("/v1/customers", health_status="unscored").body["data"][0]["id"] == made["id"]
