"""What botocore retries by itself, and why a call that it sends twice has one effect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.handlers import generate_idempotent_uuid
from tests.integration.actions.api import Api
from tests.integration.faults.kept import check, kept, without_ids
from tests.integration.faults.requests import REQUESTS, Request
from tests.integration.faults.wire import (
    AFTER,
    BEFORE,
    CLOSED,
    CONFLICT,
    EXPIRED,
    THROTTLED,
    TIMEOUT,
    UNAVAILABLE,
    Fault,
    Sent,
    Wire,
    call_number,
)

TRIES = 2
RETRIED = {fault.name: fault for fault in (THROTTLED, UNAVAILABLE, TIMEOUT, CLOSED)}
NOT_RETRIED = {fault.name: fault for fault in (CONFLICT, EXPIRED)}


class AtFirst:
    """Fail every try of every call but the last that botocore makes."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.tries: dict[int, int] = defaultdict(int)

    def __call__(self, sent: Sent) -> Fault | None:
        self.tries[sent.number] += 1
        return self.fault if self.tries[sent.number] < TRIES else None


@pytest.fixture
def tokenless(table: Any) -> Iterator[None]:
    """Have botocore give transactions no token."""
    events = table.connection.client.meta.events
    events.unregister("before-parameter-build", generate_idempotent_uuid)
    yield
    events.register("before-parameter-build", generate_idempotent_uuid)


def test_pynamodb_asks_for_the_standard_retries(api: Api) -> None:
    client: Any = api.table.connection.client
    assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": TRIES}


@pytest.mark.parametrize("fault", RETRIED.values(), ids=RETRIED)
def test_a_call_is_sent_again_before_the_fault_is_ours(api: Api, wire: Wire, fault: Fault) -> None:
    with wire.failing(call_number(1, fault)):
        api.post("upsert_account", {"name": "Acme"})
        assert [sent.number for sent in wire.sent].count(1) == TRIES


@pytest.mark.parametrize("fault", NOT_RETRIED.values(), ids=NOT_RETRIED)
def test_a_conflict_and_expired_credentials_are_ours_at_once(
    api: Api, wire: Wire, fault: Fault
) -> None:
    api.upsert()
    with wire.failing(call_number(1, fault)):
        api.post("upsert_account", {"name": "Acme"})
        assert [sent.number for sent in wire.sent].count(1) == 1


@pytest.mark.parametrize("key", ["key", ""], ids=["with a key", "without a key"])
@pytest.mark.parametrize("moment", [BEFORE, AFTER])
@pytest.mark.parametrize("request_name", REQUESTS)
def test_nobody_notices_that_every_call_fails_at_first(
    api: Api, wire: Wire, bodies: list[str], *, request_name: str, moment: str, key: str
) -> None:
    fault = TIMEOUT if moment == AFTER else THROTTLED
    twin = twin_of(api, REQUESTS[request_name], key)
    with wire.failing(AtFirst(fault), moment):
        assert send(twin, REQUESTS[request_name], key) == 200
    assert_alike(api, twin, bodies)


def test_every_transaction_bears_a_token_of_its_own_that_its_retries_repeat(
    api: Api, wire: Wire
) -> None:
    tokens = defaultdict(list)
    with wire.failing(AtFirst(TIMEOUT), AFTER):
        for name in ("Acme", "Bolt", "Corp"):
            api.upsert(name, mrr=10)
        for sent in wire.sent:
            if sent.operation == "TransactWriteItems":
                tokens[sent.number].append(sent.body["ClientRequestToken"])
    assert [len(each) for each in tokens.values()] == [TRIES] * 3
    assert [len(set(each)) for each in tokens.values()] == [1] * 3
    assert len({token for each in tokens.values() for token in each}) == 3


@pytest.mark.parametrize("key", ["key", ""], ids=["with a key", "without a key"])
@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.usefixtures("tokenless")
def test_without_tokens_the_conditions_alone_allow_one_effect(
    api: Api, wire: Wire, bodies: list[str], request_name: str, key: str
) -> None:
    """So the tokens, which DynamoDB forgets after ten minutes, are not what we rely on."""
    twin = twin_of(api, REQUESTS[request_name], key)
    with wire.failing(AtFirst(TIMEOUT), AFTER):
        assert send(twin, REQUESTS[request_name], key) == 200
        assert not any("ClientRequestToken" in sent.body for sent in wire.sent)
    assert_alike(api, twin, bodies)


def twin_of(api: Api, request: Request, key: str) -> Api:
    """Make the request where nothing fails; return another tenant that is ready for it."""
    start = api.clock.now
    twin = api.another_tenant()
    request.prepare(twin)
    api.clock.now = start
    request.prepare(api)
    assert send(api, request, key) == 200
    return twin


def send(api: Api, request: Request, key: str) -> int:
    return api.post(request.action, request.data, idempotency_key=key).status


def assert_alike(api: Api, twin: Api, bodies: list[str]) -> None:
    """Both were answered the same, and hold the same."""
    assert without_ids(bodies[-1]) == without_ids(bodies[-2])
    stored = kept(twin)
    check(stored)
    assert stored.told == kept(api).told
