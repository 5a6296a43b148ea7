"""What hostile or unlucky callers once broke."""

import json
from collections.abc import Mapping
from datetime import timedelta
from itertools import count

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api

from vitals.runtime import clock
from vitals.usecases.context import Answer, Context
from vitals.usecases.find import Known
from vitals.usecases.upsert_account import upsert_account


def test_a_record_of_a_batch_bears_the_instant_of_its_own_write(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that polls beside a long batch would leave a shared instant behind for good."""
    ticks = count(1)
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(milliseconds=next(ticks)))
    records = [{"name": f"Customer {number}"} for number in range(10)]
    api.post("batch_upsert", {"customers": records})
    listed = api.get("list_customers").data
    assert len({row["updated_at"] for row in listed}) == 10


def test_a_page_ends_before_its_answer_is_too_large(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        api.upsert("Acme", custom_fields={"text": f"{number}" * 30_000})
    monkeypatch.setattr("vitals.usecases.paging.LARGEST_ANSWER", 200_000)
    page = api.get("get_history", name="Acme")
    assert page.body["has_more"] is True
    assert len(json.dumps(page.body)) < 400_000
    seen = [change["version"] for change in page.data]
    while (cursor := page.body["next_cursor"]) is not None:
        page = api.get("get_history", name="Acme", cursor=cursor)
        seen += [change["version"] for change in page.data]
    assert seen == list(range(12, 0, -1))


def test_an_offset_sent_again_with_a_cursor_skips_nothing(api: Api) -> None:
    for number in range(10):
        api.upsert(f"Customer {number}")
    for sort in ("name", "updated_at"):
        page = api.get("list_customers", sort=sort, order="asc", limit=3, offset=2)
        names = [row["name"] for row in page.data]
        while (cursor := page.body["next_cursor"]) is not None:
            page = api.get(
                "list_customers", sort=sort, order="asc", limit=3, offset=2, cursor=cursor
            )
            names += [row["name"] for row in page.data]
        assert names == [f"Customer {number}" for number in range(2, 10)]


def test_a_dry_run_refuses_what_the_write_would_for_its_size(api: Api) -> None:
    large = {"name": "Acme", "custom_fields": {"text": "x" * 70_000}}
    for dry_run in (True, False):
        reply = api.post("upsert_account", {**large, "dry_run": dry_run})
        assert (reply.status, reply.code) == (413, "payload_too_large")


def test_an_answer_does_not_outlive_the_customer_that_was_erased(api: Api) -> None:
    asked = {"name": "Gone Co", "note": "personal"}
    made = api.post("upsert_account", asked, idempotency_key="g1").data
    assert api.post("delete_customer", {"id": made["id"], "hard": True}).status == 200
    again = api.post("upsert_account", asked, idempotency_key="g1")
    assert (again.status, again.code) == (404, "customer_not_found")
    assert "personal" not in json.dumps(again.body)


def test_a_batchs_keys_meet_no_callers_own(api: Api) -> None:
    api.post("upsert_account", {"name": "Acme"}, idempotency_key="kb#0")
    reply = api.post("batch_upsert", {"customers": [{"name": "Bolt"}]}, idempotency_key="kb")
    assert reply.body["summary"]["created"] == 1


def test_trash_whose_time_is_over_is_not_listed(api: Api) -> None:
    customer = api.upsert("Acme")
    api.post("delete_customer", {"id": customer["id"]})
    assert len(api.get("list_customers", include_deleted="true").data) == 1
    api.later(days=31)
    assert api.get("list_customers", include_deleted="true").data == []


def test_a_note_may_speak_of_templates(api: Api) -> None:
    noted = api.upsert("Acme", note="Use {{first_name}} in the mail")
    assert noted["note"] == "Use {{first_name}} in the mail"
    assert api.post("upsert_account", {"name": "Acme", "note": "{{note}}"}).warned == {
        ("unrendered_template", "note")
    }


def test_months_to_renewal_become_a_date_unless_one_is_given(api: Api) -> None:
    """IQ-048, AMB-38."""
    assert api.upsert("Acme", months_to_renewal=3)["renewal_date"] == "2026-06-02"
    both = api.upsert("Acme", months_to_renewal=3, renewal_date="2027-01-31")
    assert both["renewal_date"] == "2027-01-31"


def test_an_unknown_column_of_a_batch_is_told_once(api: Api) -> None:
    records = [{"name": f"Customer {number}", "colour": "red"} for number in range(50)]
    body = api.post("batch_upsert", {"customers": records}).body
    assert [(each["field"], each["records"]) for each in body["warnings"]] == [("colour", 50)]
    assert all(result["warnings"] == [] for result in body["results"])


def test_what_is_no_action_is_neither_logged_nor_echoed_whole(api: Api) -> None:
    secret = "vt_live_" + "s" * 5000
    reply = api.send("POST", body={"action": secret, "data": {}})
    assert reply.code == "unknown_action"
    assert len(json.dumps(reply.body)) < 3000


def test_names_have_characters_that_can_be_seen(api: Api) -> None:
    for name in ("\u200b", "\u0000", "a\u0007b"):
        assert api.post("upsert_account", {"name": name}).status == 400


def test_a_custom_field_that_is_refused_is_named(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "A", "custom_fields": {"a": {"b": 2**60}}})
    assert reply.refused == {"custom_fields": "out_of_range"}
    assert "a.b" in reply.body["errors"][0]["message"]


def test_an_unforeseen_accident_with_one_record_costs_no_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(context: Context, given: Mapping[str, object], known: Known) -> Answer:
        if given["name"] == "Bad":
            raise RuntimeError("nobody foresaw this")
        return upsert_account(context, given, known)

    monkeypatch.setattr("vitals.usecases.batch_upsert.upsert_account", broken)
    body = api.post("batch_upsert", {"customers": [{"name": "Good"}, {"name": "Bad"}]}).body
    assert [result["status"] for result in body["results"]] == ["created", "error"]
    assert body["results"][1]["error"]["code"] == "internal_error"
    assert "foresaw" not in json.dumps(body)
