"""Every DynamoDB call of every write fails once, on its way there or on its way back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api, Reply
from tests.integration.faults.kept import check, kept, without_ids
from tests.integration.faults.requests import REQUESTS, Request
from tests.integration.faults.wire import (
    AFTER,
    BEFORE,
    CONFLICT,
    CRASH,
    THROTTLED,
    TIMEOUT,
    UNAVAILABLE,
    Crash,
    Fault,
    Sent,
    Wire,
    call_number,
)

every_request = pytest.mark.parametrize("request_name", REQUESTS)
both_moments = pytest.mark.parametrize("moment", [BEFORE, AFTER])

PURGES = ("hard delete", "create over expired trash")
FAULTS = {
    BEFORE: (THROTTLED, TIMEOUT, CONFLICT, CRASH),
    AFTER: (UNAVAILABLE, TIMEOUT, CRASH),
}
"""What may become of a call that did not reach the table, or of the answer of one that did."""
IN_STEPS = ("batch", *PURGES)
"""What is more than one transaction: cut short, it may have been done in part."""
PRIORITY = re.compile(r'"priority_score":[^,]*,"priority":(null|{[^}]*}),')


@pytest.fixture(autouse=True)
def _one_record_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the calls of a batch come in one order."""
    monkeypatch.setattr("vitals.usecases.batch_upsert.WRITERS", 1)


@dataclass
class Faultless:
    """What a request answers, stores and calls when nothing fails."""

    body: str
    before: str
    after: str
    calls: dict[int, Sent]


@dataclass
class Hit:
    """A request of which a call failed, and its answer, if it lived to give one."""

    how: str
    api: Api
    reply: Reply | None
    body: str
    was_seen_as_before: bool = False


@dataclass
class Bench:
    """Tenants that are all alike, each for one try of one request."""

    api: Api
    wire: Wire
    bodies: list[str]
    request: Request

    def tenant(self) -> Api:
        """A new tenant, ready for the request."""
        self.api.clock.now = NOW
        api = self.api.another_tenant()
        self.request.prepare(api)
        return api

    def send(self, api: Api, key: str = "") -> Reply:
        return api.post(self.request.action, self.request.data, idempotency_key=key)

    def faultless(self, key: str = "") -> Faultless:
        api = self.tenant()
        api.restart()
        before = stored_by(api)
        with self.wire.tapped() as wire:
            assert self.send(api, key).status == 200
            calls = wire.calls
        check(kept(api))
        return Faultless(told(self.bodies[-1]), before, stored_by(api), calls)

    def hit(
        self, faultless: Faultless, moment: str, key: str = "", faults: Sequence[Fault] = ()
    ) -> Iterator[Hit]:
        """Fail every call in each way that it can fail, or in each of *faults*.

        A tenant on which nothing was seen done serves once more: it is as it was.
        """
        api: Api | None = None
        for fault, (number, call) in product(faults or FAULTS[moment], faultless.calls.items()):
            if not fault.hits(call) or (moment == AFTER and not call.writes):
                continue
            api = api or self.tenant()
            api.restart()
            with self.wire.failing(call_number(number, fault), moment):
                try:
                    reply: Reply | None = self.send(api, key)
                except Crash:
                    reply = None
            if reply is None:
                api.restart()
            hit = Hit(f"{fault.name} {number} {call.operation}", api, reply, self.bodies[-1])
            yield hit
            if not hit.was_seen_as_before:
                api = None


@pytest.fixture
def bench(api: Api, impatient: Wire, bodies: list[str], request_name: str) -> Bench:
    return Bench(api, impatient, bodies, REQUESTS[request_name])


@every_request
@both_moments
def test_a_request_with_a_key_has_one_effect_and_one_answer(
    bench: Bench, moment: str, request_name: str, subtests: pytest.Subtests
) -> None:
    faultless = bench.faultless("key")
    for hit in bench.hit(faultless, moment, "key"):
        with subtests.test(hit.how):
            assert_no_lie(hit, faultless)
            if not is_as_before(hit, faultless, request_name):
                assert bench.send(hit.api, "key").status == 200
                second = bench.bodies[-1]
                assert told(second) == faultless.body
                if is_whole(hit.reply):
                    assert second == hit.body
                again = bench.send(hit.api, "key")
                assert again.headers["idempotency-replayed"] == "true"
                assert bench.bodies[-1] == second
                assert_stored(hit.api, faultless.after)


@every_request
@both_moments
def test_a_request_without_a_key_may_find_its_own_effect_and_still_has_one(
    bench: Bench, moment: str, request_name: str, subtests: pytest.Subtests
) -> None:
    """Sent again, it may be told `unchanged`, `already_deleted`, or that what it made exists, or
    is gone; only a contact is logged twice, for nobody can tell it from a second one."""
    faultless = bench.faultless()
    for hit in bench.hit(faultless, moment):
        with subtests.test(hit.how):
            assert_no_lie(hit, faultless)
            if is_whole(hit.reply):
                assert_stored(hit.api, faultless.after)
            elif not is_as_before(hit, faultless, request_name):
                was_done = stored_by(hit.api) == faultless.after
                again = bench.send(hit.api)
                if was_done or request_name == "hard delete":
                    assert_found_its_own_effect(again, request_name)
                else:
                    assert again.status == 200
                if request_name == "contact":
                    [acme] = kept(hit.api).customers.values()
                    assert acme.version == 3
                    check(kept(hit.api))
                else:
                    assert_stored(hit.api, faultless.after)


ASKING: dict[str, Callable[[Api], Reply]] = {
    "a creation": lambda api: api.post("upsert_account", {"name": "Acme", "mrr": 1}),
    "a creation by external_id": lambda api: api.post(
        "upsert_account", {"name": "Bolt", "external_id": "crm-1"}
    ),
    "a batch": lambda api: api.post("batch_upsert", {"customers": [{"name": "Acme"}]}),
    "a rename": lambda api: api.post(
        "update_health", {"id": api.upsert("Bolt")["id"], "field": "name", "value": "Acme"}
    ),
    "another purge": lambda api: api.post("delete_customer", {"name": "Acme", "hard": True}),
    "a read": lambda api: api.get("get_customer", name="Acme"),
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
@pytest.mark.parametrize("request_name", PURGES)
def test_a_purge_that_crashed_is_finished_by_whoever_asks_for_the_name(
    bench: Bench, ask: Callable[[Api], Reply], subtests: pytest.Subtests
) -> None:
    for hit in bench.hit(bench.faultless(), AFTER, faults=[CRASH]):
        with subtests.test(hit.how):
            check(kept(hit.api), purging=True)
            assert ask(hit.api).status < 500
            check(kept(hit.api))


def told(text: str) -> str:
    """*text* without ids and priorities, which are shares of what other customers move as well."""
    return PRIORITY.sub("", without_ids(text))


def stored_by(api: Api) -> str:
    return told(kept(api).told)


def is_done(reply: Reply | None) -> bool:
    return reply is not None and reply.status == 200


def is_whole(reply: Reply | None) -> bool:
    """Whether all that was asked was answered."""
    if reply is None or reply.status != 200:
        return False
    return all(result["status"] != "error" for result in reply.body.get("results", []))


def assert_no_lie(hit: Hit, faultless: Faultless) -> None:
    """The answer is the faultless one, or says what was not done, and not by the caller's fault."""
    reply = hit.reply
    if reply is None:
        return
    if is_whole(reply):
        assert told(hit.body) == faultless.body
    elif reply.status == 200:
        expected: list[Any] = json.loads(faultless.body)["results"]
        for result, whole in zip(reply.body["results"], expected, strict=True):
            if result["status"] == "error":
                assert result["error"]["code"] == "busy"
            else:
                assert {**result, "id": ""} == {**whole, "id": ""}
    else:
        assert reply.status in (500, 503)
        assert reply.code == {500: "internal_error", 503: "busy"}[reply.status]
        assert "injected" not in hit.body
        if reply.status == 503:
            assert int(reply.headers["retry-after"]) >= 1


def is_as_before(hit: Hit, faultless: Faultless, request_name: str) -> bool:
    """Whether the request was not done; half of it is never done."""
    items = kept(hit.api)
    check(items, purging=True)
    stored = told(items.told)
    if request_name not in IN_STEPS:
        assert stored in (faultless.before, faultless.after)
    hit.was_seen_as_before = not is_done(hit.reply) and stored == faultless.before
    return hit.was_seen_as_before


def assert_stored(api: Api, expected: str) -> None:
    stored = kept(api)
    check(stored)
    assert told(stored.told) == expected


def assert_found_its_own_effect(again: Reply, request_name: str) -> None:
    """What is said to a caller whose request was done before, unknown to it."""
    if request_name == "create only":
        assert again.code == "already_exists"
    elif request_name == "hard delete":
        assert again.code == "customer_not_found"
    elif request_name == "delete":
        assert again.body["already_deleted"]
    elif request_name == "batch":
        assert again.body["summary"]["unchanged"] == len(again.body["results"])
    elif request_name != "contact":
        assert again.body["unchanged"]
