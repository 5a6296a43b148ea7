"""The log of requests: every one that bore a good key, and nothing of what it sent (IQ-011)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.integration.actions.api import Api

from vitals.runtime.wiring import wiring
from vitals.storage.ports import StorageBusyError


@pytest.fixture
def busy(api: Api) -> Api:
    """A tenant of which some requests were made, each under a trace id of its own."""
    for number, (action, data) in enumerate(
        (
            ("upsert_account", {"name": "Secret Customer", "note": "s3cret"}),
            ("get_customer", {"name": "Nobody s3cret"}),
            ("s3cret_action", {}),
            ("list_customers", {}),
        )
    ):
        api.context.aws_request_id = f"trace-{number}"
        api.post(action, data)
        api.later(seconds=1)
    api.context.aws_request_id = "trace-9"
    return api


def test_every_request_is_there_newest_first(busy: Api) -> None:
    entries = busy.get("list_requests").data
    parts = ("trace_id", "action", "status", "code")
    shown = [tuple(each[part] for part in parts) for each in entries]
    assert shown == [
        ("trace-3", "list_customers", 200, None),
        ("trace-2", None, 400, "unknown_action"),
        ("trace-1", "get_customer", 404, "customer_not_found"),
        ("trace-0", "upsert_account", 200, None),
    ]  # fmt: skip
    me = busy.get("whoami").data["id"]
    assert {each["key_id"] for each in entries} == {me}
    assert all(each["duration_ms"] > 0 for each in entries)


def test_nothing_of_what_was_sent_is_in_it(busy: Api) -> None:
    text = json.dumps(busy.get("list_requests").body)
    assert "s3cret" not in text
    assert busy.key[12:] not in text


@pytest.mark.parametrize(
    ("filters", "traces"),
    [
        ({"called": "get_customer"}, ["trace-1"]),
        ({"status": 200}, ["trace-3", "trace-0"]),
        ({"failed": True}, ["trace-2", "trace-1"]),
        ({"trace_id": "trace-2"}, ["trace-2"]),
        ({"since": "2026-03-02T12:00:02Z"}, ["trace-3", "trace-2"]),
        ({"until": "2026-03-02T12:00:00Z"}, ["trace-0"]),
        ({"key_id": "somebody"}, []),
    ],
)
def test_they_are_filtered(busy: Api, filters: dict[str, Any], traces: list[str]) -> None:
    assert [each["trace_id"] for each in busy.get("list_requests", **filters).data] == traces


def test_a_filter_that_nothing_passes_ends_in_time_with_a_place_to_go_on_from(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitals.usecases.paging.STRIDE", 2)
    for number in range(9):
        api.context.aws_request_id = f"trace-{number}"
        api.get("whoami")
        api.later(seconds=1)
    with monkeypatch.context() as patch:
        patch.setattr(api.context, "seconds", 5.0)
        short = api.get("list_requests", failed=True, until="2026-03-02T12:00:08Z")
        assert (short.data, short.body["has_more"]) == ([], True)
        walked = api.get("list_audit", done="nothing")
        assert walked.status == 200
    cursor = short.body["next_cursor"]
    rest = api.get("list_requests", failed=True, until="2026-03-02T12:00:08Z", cursor=cursor)
    assert (rest.data, rest.body["has_more"]) == ([], False)


def test_they_are_paged(busy: Api) -> None:
    walked: list[Any] = []
    page = busy.get("list_requests", limit=3, until="2026-03-02T12:00:03Z")
    walked += page.data
    cursor = page.body["next_cursor"]
    rest = busy.get("list_requests", limit=3, until="2026-03-02T12:00:03Z", cursor=cursor)
    assert [each["trace_id"] for each in walked + rest.data] == [f"trace-{n}" for n in (3, 2, 1, 0)]


def test_they_are_kept_for_thirty_days(busy: Api) -> None:
    busy.later(days=30)
    shown = busy.get("list_requests").data
    assert {each["trace_id"] for each in shown} <= {"trace-3", "trace-9"}
    [kept] = [item for item in busy.table.item.scan() if "trace-0" in item.SK]
    assert kept.expires_at.isoformat() == "2026-04-01T12:00:00+00:00"


def test_they_are_a_tenants_own(busy: Api) -> None:
    assert busy.another_tenant().get("list_requests").data == []


def test_a_log_that_the_table_does_not_take_costs_no_answer(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageBusyError

    monkeypatch.setattr(wiring().administration, "log", full)
    assert api.get("whoami").status == 200


def test_a_request_without_a_good_key_is_in_nobodys_log(api: Api) -> None:
    assert api.get("whoami", x_api_key="vt_live_x").status in (200, 401)
    api.send("GET", query={"action": "whoami"}, x_api_key="vt_live_x")
    assert all(each["status"] != 401 for each in api.get("list_requests").data)
