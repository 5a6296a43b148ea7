"""Events and signals through the resource API, as docs/events.md shows them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.rest.client import Rest

from vitals.domain.instants import iso
from vitals.domain.model_document import DEFAULT_MODEL

GUIDE = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)]
BATCH, UPDATE = EXAMPLES


@pytest.fixture
def acme(rest: Rest) -> str:
    return str(rest.created(external_id="crm-4711")["id"])


def test_the_documented_batch_is_counted_and_scored(rest: Rest, acme: str) -> None:
    reply = rest.post("/v1/events", BATCH)
    assert (reply.status, reply.body["accepted"], reply.body["rejected"]) == (200, 2, 0)
    [customer] = reply.body["customers"]
    shown = rest.get(f"/v1/customers/{acme}").body
    assert customer["score"] == shown["health_score"]
    assert shown["signals"]["logins"] == 1


def test_the_documented_definition_computes_a_signal(rest: Rest, acme: str) -> None:
    assert rest.api.post("update_config", UPDATE["data"]).status == 200
    rest.api.restart()
    rest.post("/v1/events", BATCH)
    [revenue] = [
        row
        for row in rest.get(f"/v1/signals/{acme}").body["signals"]
        if row["name"] == "revenue"
    ]  # fmt: skip
    assert (revenue["value"], revenue["source"]) == (99.5, "events")
    given = UPDATE["data"]["signals"]["revenue"]["computed"]
    assert revenue["definition"] == given


def test_the_documented_defaults_are_the_products() -> None:
    assert DEFAULT_MODEL["signals"]["logins"]["computed"]["aggregate"] == "user_days"
    assert [n for n, each in DEFAULT_MODEL["signals"].items() if "computed" in each] == ["logins"]
    assert len(GUIDE.splitlines()) <= 120


def test_one_bad_event_has_its_index_and_a_bad_envelope_is_400(rest: Rest, acme: str) -> None:
    """AMB-41."""
    good = {"customer_id": acme, "event_name": "login"}
    batch: list[Any] = [good, {"customer_id": acme, "event_name": ""}, {**good, "timestamp": 7}]
    reply = rest.post("/v1/events", {"events": batch})
    assert (reply.status, reply.body["accepted"]) == (200, 1)
    assert [(e["index"], e["field"]) for e in reply.body["errors"]] == [
        (1, "event_name"), (2, "timestamp")
    ]  # fmt: skip
    envelopes: list[Any] = [{}, {"events": []}, {"events": ["login"]}, {"events": [good] * 1001}]
    for bad in envelopes:
        assert rest.post("/v1/events", bad).status == 400


def test_a_batch_under_a_key_is_answered_once(rest: Rest, acme: str) -> None:
    batch = {"events": [{"customer_id": acme, "event_name": "login", "user_id": "1"}]}
    first = rest.post("/v1/events", batch, idempotency_key="k")
    again = rest.post("/v1/events", batch, idempotency_key="k")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.body == first.body
    other = {"events": [{"customer_id": acme, "event_name": "export"}]}
    assert rest.post("/v1/events", other, idempotency_key="k").status == 422


def test_events_are_listed_by_pages_with_filters(rest: Rest, acme: str) -> None:
    sent = [
        {"customer_id": acme, "event_name": ("login", "export", "x,y")[n % 3],
         "timestamp": iso(NOW - timedelta(hours=n)), "properties": {"n": n}}
        for n in range(7)
    ]  # fmt: skip
    rest.post("/v1/events", {"events": sent})
    found: list[Any] = []
    query: dict[str, Any] = {"customer_id": acme, "limit": 2, "event_name": "login,export"}
    while True:
        page = rest.get("/v1/events", **query).body
        found += page["data"]
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
    assert [event["properties"]["n"] for event in found] == [6, 4, 3, 1, 0]
    since = {"from": iso(NOW - timedelta(hours=2)), "to": iso(NOW - timedelta(hours=1))}
    shown = rest.get("/v1/events", **since).body["data"]
    assert [event["properties"]["n"] for event in shown] == [2, 1]
    assert rest.get("/v1/events", limit=201).status == 400


def test_events_draw_from_limits_of_their_own(rest: Rest) -> None:
    """LU-073."""
    few = Rest(rest.api.another_tenant(limit_events=3, limit_batches=2))
    acme = few.created()["id"]
    event = {"customer_id": acme, "event_name": "login"}
    reply = few.post("/v1/events", {"events": [event] * 3})
    assert (reply.status, reply.headers["x-ratelimit-limit"]) == (200, "3")
    assert reply.headers["x-ratelimit-remaining"] == "0"
    reply = few.post("/v1/events", {"events": [event]})
    assert (reply.status, reply.body["limit"]) == (429, "events")
    few.api.later(minutes=1)
    assert few.post("/v1/events", {"events": [event]}).status == 200
    assert few.post("/v1/events", {"events": [event]}).status == 200
    assert few.post("/v1/events", {"events": [event]}).body["limit"] == "batches"


def test_signals_of_nobody_are_not_found(rest: Rest, acme: str) -> None:
    rest.delete(f"/v1/customers/{acme}")
    for customer in (acme, "nobody"):
        assert rest.get(f"/v1/signals/{customer}").status == 404
