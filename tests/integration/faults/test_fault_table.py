"""Every DynamoDB call of every write fails once, on its way there or on its way back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api, Reply
from tests.integration.faults.kept import check, kept, without_ids
from tests.integration.faults.requests import REQUESTS, Request
from tests.integration.faults.wire import AFTER, BEFORE, FAULTS, Sent, Wire, call_number

every_request = pytest.mark.parametrize("request_name", REQUESTS)
both_moments = pytest.mark.parametrize("moment", [BEFORE, AFTER])

IN_STEPS = ("batch", "hard delete", "create over expired trash")
"""What is more than one transaction: cut short, it may have been done in part."""


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
    """A request of which a call failed, and its answer."""

    how: str
    api: Api
    reply: Reply
    body: str


@dataclass
class Bench:
    """Tenants that are all alike, each for one try of one request."""

    api: Api
    wire: Wire
    bodies: list[str]
    request: Request

    def tenant(self) -> Api:
        """A new tenant, ready for the request, of which the function remembers nothing."""
        self.api.clock.now = NOW
        api = self.api.another_tenant()
        self.request.prepare(api)
        api.restart()
        return api

    def send(self, api: Api, key: str = "") -> Reply:
        return api.post(self.request.action, self.request.data, idempotency_key=key)

    def faultless(self, key: str = "") -> Faultless:
        api = self.tenant()
        before = kept(api).told
        with self.wire.tapped() as wire:
            assert self.send(api, key).status == 200
            calls = wire.calls
        after = kept(api)
        check(after)
        return Faultless(without_ids(self.bodies[-1]), before, after.told, calls)

    def hit(self, faultless: Faultless, moment: str, key: str = "") -> Iterator[Hit]:
        """Fail every call in every way that it can fail.

        A tenant on which nothing was done serves once more: it is as it was.
        """
        api: Api | None = None
        for fault, (number, call) in product(FAULTS.values(), faultless.calls.items()):
            if not fault.hits(call) or (moment == AFTER and not call.writes):
                continue
            api = api or self.tenant()
            api.restart()
            with self.wire.failing(call_number(number, fault), moment):
                reply = self.send(api, key)
            yield Hit(f"{fault.name} {number} {call.operation}", api, reply, self.bodies[-1])
            if reply.status == 200 or kept(api).told != faultless.before:
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
                assert without_ids(second) == faultless.body
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
                was_done = kept(hit.api).told == faultless.after
                again = bench.send(hit.api)
                if was_done:
                    assert_found_its_own_effect(again, request_name)
                else:
                    assert again.status == 200
                if request_name == "contact":
                    [acme] = kept(hit.api).customers.values()
                    assert acme.version == 3
                    check(kept(hit.api))
                else:
                    assert_stored(hit.api, faultless.after)


def is_whole(reply: Reply) -> bool:
    """Whether all that was asked was answered."""
    results = reply.body.get("results", []) if reply.status == 200 else []
    return reply.status == 200 and all(result["status"] != "error" for result in results)


def assert_no_lie(hit: Hit, faultless: Faultless) -> None:
    """The answer is the faultless one, or says what was not done, and not by the caller's fault."""
    reply = hit.reply
    if is_whole(reply):
        assert without_ids(hit.body) == faultless.body
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
    """Whether the request was refused and nothing done; half of it is never done."""
    stored = kept(hit.api)
    check(stored, purging=True)
    if request_name not in IN_STEPS:
        assert stored.told in (faultless.before, faultless.after)
    return hit.reply.status != 200 and stored.told == faultless.before


def assert_stored(api: Api, expected: str) -> None:
    stored = kept(api)
    check(stored)
    assert stored.told == expected


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
