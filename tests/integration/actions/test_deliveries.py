"""Deliveries: listed, looked into, and sent once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, Reacting, Sent

from vitals.domain.connection import Health
from vitals.domain.delivery import RETRY, Attempt
from vitals.domain.instants import iso
from vitals.runtime.wiring import wiring

URL = "https://example.com/in/s3cr3t"


def subscribed(api: Api, url: str = URL, events: str = "customer.created") -> str:
    made = api.post("put_webhook_subscription", {"url": url, "events": events})
    return str(made.data["id"])


def listed(api: Api, **filters: object) -> list[Any]:
    found: list[Any] = api.get("list_deliveries", **filters).data
    return found


def ids(api: Api, **filters: object) -> list[str]:
    return [each["id"] for each in listed(api, **filters)]


def fails(sent: Sent) -> Attempt:
    return Attempt(at=sent.at, verdict=RETRY, status=500, response="out of order")


def only(api: Api) -> Any:
    [delivery] = listed(api)
    return delivery


def failed(reacting: Reacting, outside: Outside) -> Any:
    """A delivery whose attempts are all made, to an endpoint that is still enabled."""
    outside.verdict = fails
    subscribed(reacting.api)
    reacting.api.upsert("Acme")
    reacting.settle()
    for hours in (1, 1, 3, 6, 12, 16, 23, 27):
        reacting.tick(hours=hours)
    delivery = only(reacting.api)
    assert delivery["state"] == "failed"
    return delivery


def test_a_delivery_shows_what_was_sent_and_every_attempt(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    connection = subscribed(api)
    outside.verdict = fails
    customer = api.upsert("Acme")
    reacting.settle()
    listed_ = only(api)
    assert (listed_["state"], listed_["tries"]) == ("pending", 2)
    assert "payload" not in listed_
    found = api.get("get_delivery", id=listed_["id"]).data
    assert {name: found[name] for name in listed_} == listed_
    assert (found["connection_id"], found["customer_id"]) == (connection, customer["id"])
    assert found["connection"]["shown"] == "https://example.com/in/•••"
    assert found["payload"]["data"]["customer"]["name"] == "Acme"
    assert found["payload"]["id"] == found["event_id"]
    assert [each["status"] for each in found["attempts"]] == [500, 500]
    assert found["attempts"][0]["response"] == "out of order"


def test_deliveries_are_listed_newest_first_by_page_and_filter(reacting: Reacting) -> None:
    api = reacting.api
    first = subscribed(api)
    subscribed(api, "https://example.org/x")
    made = []
    for name in ("A", "B", "C"):
        made.append(api.upsert(name)["id"])
        reacting.settle()
        api.later(hours=1)
    found = listed(api)
    assert [each["customer_id"] for each in found] == [each for each in made[::-1] for _ in "ab"]
    page = api.get("list_deliveries", limit=4)
    rest = api.get("list_deliveries", limit=4, cursor=page.body["next_cursor"])
    assert [each["id"] for each in page.data + rest.data] == [each["id"] for each in found]
    assert rest.body["has_more"] is False
    assert len(listed(api, connection_id=first)) == 3
    assert [each["customer_id"] for each in listed(api, customer_id=made[1])] == [made[1]] * 2
    assert (len(listed(api, state="delivered")), listed(api, state="failed")) == (6, [])
    assert listed(api, event_type="customer.deleted") == []
    second = iso(NOW + timedelta(hours=1))
    assert len(listed(api, since=second)) == 4
    assert len(listed(api, until=second)) == 4
    assert len(listed(api, since=second, until=second)) == 2
    page = api.get("list_deliveries", until=second, limit=3)
    rest = api.get("list_deliveries", until=second, limit=3, cursor=page.body["next_cursor"])
    assert [each["id"] for each in page.data + rest.data] == ids(api, until=second)


def test_one_that_failed_is_sent_once_more_with_all_its_attempts(
    reacting: Reacting, outside: Outside
) -> None:
    api, delivery = reacting.api, failed(reacting, outside)
    sent = len(outside.sent)
    replayed = api.post("replay_delivery", {"id": delivery["id"]}).data
    assert (replayed["state"], replayed["tries"]) == ("pending", 0)
    assert replayed["next_at"] == iso(api.clock.now)
    reacting.settle()
    assert len(outside.sent) == sent + 1
    assert (only(api)["state"], only(api)["tries"]) == ("pending", 1)
    assert {each.payload["id"] for each in outside.sent} == {delivery["event_id"]}


def test_one_that_arrived_is_sent_once_more(reacting: Reacting, outside: Outside) -> None:
    api = reacting.api
    subscribed(api)
    api.upsert("Acme")
    reacting.settle()
    api.post("replay_delivery", {"id": only(api)["id"]})
    reacting.settle()
    assert (only(api)["state"], len(outside.sent)) == ("delivered", 2)
    assert len({each.payload["id"] for each in outside.sent}) == 1


def test_one_that_is_pending_is_due_at_once(reacting: Reacting, outside: Outside) -> None:
    api = reacting.api
    subscribed(api)
    outside.verdict = fails
    api.upsert("Acme")
    reacting.settle()
    waiting = only(api)
    assert waiting["next_at"] > iso(api.clock.now)
    api.post("replay_delivery", {"id": waiting["id"]})
    reacting.tick(seconds=1)
    assert (len(outside.sent), only(api)["tries"]) == (3, 3)


def test_a_replay_does_not_wait_for_an_endpoint_that_rests(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    connection = subscribed(api)
    api.upsert("Acme")
    reacting.settle()
    resting = Health(
        failing_since=NOW, resting_until=api.clock.now + timedelta(hours=9), failures=4
    )
    wiring().outbound.rulebooks.set_health(api.tenant.id, connection, resting)
    api.post("replay_delivery", {"id": only(api)["id"]})
    reacting.settle()
    assert (only(api)["state"], len(outside.sent)) == ("delivered", 2)


def test_a_replay_happens_once_under_a_key(reacting: Reacting, outside: Outside) -> None:
    api = reacting.api
    subscribed(api)
    api.upsert("Acme")
    reacting.settle()
    delivery = only(api)["id"]
    first = api.post("replay_delivery", {"id": delivery}, idempotency_key="k")
    reacting.settle()
    again = api.post("replay_delivery", {"id": delivery}, idempotency_key="k")
    reacting.settle()
    assert (again.body, len(outside.sent)) == (first.body, 2)


def test_a_dry_run_sends_nothing(reacting: Reacting) -> None:
    api = reacting.api
    subscribed(api)
    api.upsert("Acme")
    reacting.settle()
    stored = api.stored()
    reply = api.post("replay_delivery", {"id": only(api)["id"], "dry_run": True})
    assert (reply.data["state"], reply.body["dry_run"]) == ("pending", True)
    assert api.stored() == stored


def test_over_a_connection_that_is_off_or_gone_nothing_is_sent_once_more(
    reacting: Reacting,
) -> None:
    api = reacting.api
    connection = subscribed(api)
    api.upsert("Acme")
    reacting.settle()
    delivery = only(api)["id"]
    api.post("toggle_webhook_subscription", {"id": connection, "active": False})
    reply = api.post("replay_delivery", {"id": delivery})
    assert (reply.status, reply.code) == (409, "connection_disabled")
    api.post("delete_webhook_subscription", {"id": connection})
    reply = api.post("replay_delivery", {"id": delivery})
    assert (reply.status, reply.code) == (404, "connection_not_found")
    assert api.get("get_delivery", id=delivery).data["connection"] is None


@pytest.mark.parametrize("unknown", ["x", "_", "_x", "x_", "01KJQ8ZJ9W_NOBODY"])
def test_what_is_not_there_is_not_found(api: Api, unknown: str) -> None:
    for action in ("get_delivery", "replay_delivery"):
        reply = api.post(action, {"id": unknown})
        assert (reply.status, reply.code) == (404, "delivery_not_found")


def test_another_tenants_delivery_is_not_found(reacting: Reacting) -> None:
    subscribed(reacting.api)
    reacting.api.upsert("Acme")
    reacting.settle()
    delivery = only(reacting.api)["id"]
    other = reacting.api.another_tenant()
    assert other.get("get_delivery", id=delivery).status == 404
    assert other.get("list_deliveries").data == []
