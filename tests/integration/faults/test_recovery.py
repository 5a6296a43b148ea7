"""A table that throttles for a while, in whole or in part, and then goes on."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from tests.builders import NOW
from tests.integration.actions.api import Api, LambdaContext, Reply
from tests.integration.faults.kept import check, kept, without_ids
from tests.integration.faults.requests import REQUESTS
from tests.integration.faults.wire import (
    AFTER,
    BEFORE,
    CONFLICT,
    THROTTLED,
    TIMEOUT,
    UNAVAILABLE,
    Fault,
    Plan,
    Sent,
    Wire,
    refusal,
)

PATIENCE = 30
"""So often a client asks again."""


def at_first(count: int, fault: Fault, operation: str = "") -> Plan:
    """Fail so many requests, all or those of one operation."""
    left = iter(range(count))

    def plan(sent: Sent) -> Fault | None:
        meant = operation in ("", sent.operation)
        return fault if meant and next(left, None) is not None else None

    return plan


def insisted(api: Api, action: str, data: object, key: str) -> Reply:
    """Ask until all was done, as Retry-After says."""
    for _ in range(PATIENCE):
        reply = api.post(action, data, idempotency_key=key)
        if reply.status == 200 and not reply.body.get("summary", {}).get("error"):
            return reply
        assert reply.status == 200 or int(reply.headers["retry-after"]) >= 1
    raise AssertionError(reply.body)


def _unprocessed(request: AWSPreparedRequest, sent: Sent) -> AWSResponse:
    """What a batch call answers of which everything was throttled."""
    asked = sent.body["RequestItems"]
    left = "UnprocessedItems" if sent.operation == "BatchWriteItem" else "UnprocessedKeys"
    return refusal(200, "", Responses={table: [] for table in asked}, **{left: asked})(
        request, sent
    )


UNPROCESSED = Fault("unprocessed", _unprocessed)


@pytest.mark.parametrize("count", [1, 7, 40])
@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_client_that_asks_again_is_served_once_when_the_throttling_ends(
    api: Api, wire: Wire, request_name: str, count: int
) -> None:
    request = REQUESTS[request_name]
    twin = api.another_tenant()
    for each in (twin, api):
        api.clock.now = NOW
        request.prepare(each)
    api.restart()
    told = api.post(request.action, request.data, idempotency_key="k")
    with wire.failing(at_first(count, THROTTLED)):
        late = insisted(twin, request.action, request.data, "k")
    stored = kept(twin)
    check(stored)
    assert stored.told == kept(api).told
    assert without_ids(json.dumps(late.body)) == without_ids(json.dumps(told.body))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_batch_read_that_is_done_in_part_is_read_on(api: Api, wire: Wire, count: int) -> None:
    api.upsert("Acme", mrr=3)
    records = [{"name": name, "logins": 3} for name in ("Acme", "Bolt")]
    with wire.failing(at_first(count, UNPROCESSED, "BatchGetItem")):
        reply = api.post("batch_upsert", {"customers": records})
    assert [each["status"] for each in reply.body["results"]] == ["updated", "created"]
    check(kept(api))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_history_that_is_erased_in_part_is_erased_on(api: Api, wire: Wire, count: int) -> None:
    acme = api.upsert("Acme")["id"]
    for logins in range(30):
        api.upsert("Acme", logins=logins)
    with wire.failing(at_first(count, UNPROCESSED, "BatchWriteItem")):
        reply = api.post("delete_customer", {"id": acme, "hard": True})
    assert reply.status == 200
    check(kept(api))


@pytest.mark.parametrize("seed", range(4))
def test_two_clients_amid_faults_lose_nothing_and_do_nothing_twice(
    api: Api, impatient: Wire, seed: int
) -> None:
    """Each writes a field of its own to one customer, and asks again until it is told so."""
    chance = random.Random(seed)  # noqa: S311 - the same chances at every run
    acme = api.upsert("Acme")["id"]

    def plan(sent: Sent) -> Fault | None:
        # Seldom enough that nobody runs out of patience: a request is a handful of calls.
        fault = chance.choice([*[None] * 16, THROTTLED, TIMEOUT, UNAVAILABLE, CONFLICT])
        return fault if fault is not None and fault.hits(sent) else None

    def work(field: str) -> None:
        client = Api(api.table, api.tenant, api.key, api.clock, LambdaContext())
        for number in range(1, 9):
            data = {"id": acme, "field": field, "value": number}
            insisted(client, "update_health", data, f"{field} {number}")

    with impatient.failing(plan, AFTER if seed % 2 else BEFORE), ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(work, field) for field in ("logins", "mrr")]:
            done.result()
    shown = api.customer(id=acme)
    assert (shown["logins"], shown["mrr"], shown["version"]) == (8, 8, 17)
    check(kept(api))
