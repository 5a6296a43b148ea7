"""A table that is slow, throttles or loses its answers: retried, then 503, nothing by halves."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.integration.actions.api import Api, LambdaContext, Reply
from tests.integration.actions.writes import WRITES, Write
from tests.integration.faults.kept import check, kept
from tests.integration.faults.wire import AFTER, THROTTLED, TIMEOUT, Fault, Sent, Wire

from vitals.storage.ports import StorageBusyError
from vitals.storage.table import Table, Writes

LIMIT = 29
EACH = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


@dataclass
class Hours:
    """Time that passes only where somebody waits."""

    passed: float = 0

    def wait(self, seconds: float) -> None:
        self.passed += seconds


class Deadline(LambdaContext):
    """A function's time limit, by the hours that passed."""

    def __init__(self, hours: Hours) -> None:
        super().__init__()
        self.hours = hours

    def get_remaining_time_in_millis(self) -> int:
        return int((LIMIT - self.hours.passed) * 1000)


@pytest.fixture
def hours(api: Api, monkeypatch: pytest.MonkeyPatch) -> Hours:
    """The time that a request takes, nobody waiting for real, botocore included."""
    hours = Hours()
    monkeypatch.setattr(time, "sleep", hours.wait)
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: True)
    api.context = Deadline(hours)
    return hours


@pytest.fixture
def wire(api: Api) -> Wire:
    return Wire(api.table)


def busy(reply: Reply) -> bool:
    """Whether *reply* says: not now, and when."""
    assert (reply.status, reply.code) == (503, "busy"), reply.body
    assert reply.headers["retry-after"].isdigit()
    assert reply.headers["x-ratelimit-limit"].isdigit()
    return True


def always(fault: Fault, *operations: str) -> Callable[[Sent], Fault | None]:
    return lambda sent: fault if sent.operation in operations else None


def times(count: int, fault: Fault, *operations: str) -> Callable[[Sent], Fault | None]:
    left = iter(range(count))

    def plan(sent: Sent) -> Fault | None:
        hit = sent.operation in operations and next(left, None) is not None
        return fault if hit else None

    return plan


@EACH
def test_a_write_whose_answer_was_lost_is_answered_and_applied_once(
    api: Api, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write.prepare(api)
    before = api.get("list_changes", limit=500).data
    did, lost = Table.transact, []

    def lose_the_first(table: Table, writes: Writes) -> None:
        did(table, writes)
        if not lost:
            lost.append(writes)
            raise StorageBusyError

    with monkeypatch.context() as patched:
        patched.setattr(Table, "transact", lose_the_first)
        reply = api.post(write.action, write.data)
    assert reply.status == 200, reply.body
    assert lost or reply.body.get("unchanged")
    after = api.get("list_changes", limit=500).data
    if reply.body.get("hard"):
        assert [change["cause"] for change in after] == ["purge"]
    else:
        made = [change for change in after if change not in before]
        results = reply.body.get("results", [reply.body])
        told = [each for each in results if each["status"] != "error" and not each.get("unchanged")]
        assert len(made) == len(told)
    assert reply.body.get("created") is (write.data.get("name") == "Acme" and not before) or before
    check(kept(api))


@EACH
@pytest.mark.parametrize("operation", ["GetItem", "TransactWriteItems"])
def test_a_call_that_is_throttled_for_a_while_is_made_again(
    api: Api, wire: Wire, hours: Hours, write: Write, operation: str
) -> None:
    write.prepare(api)
    with wire.failing(times(9, THROTTLED, operation)):
        reply = api.post(write.action, write.data)
    assert reply.status in ((200,) if operation == "TransactWriteItems" else (200, 503))
    assert hours.passed < LIMIT
    check(kept(api))


@EACH
@pytest.mark.parametrize(
    "operation",
    ["GetItem", "TransactWriteItems", "PutItem", "BatchGetItem", "Query", "BatchWriteItem"],
)
def test_a_call_that_is_always_throttled_is_a_503_with_nothing_by_halves(
    api: Api, wire: Wire, hours: Hours, write: Write, operation: str
) -> None:
    write.prepare(api)
    before = kept(api).items
    with wire.failing(always(THROTTLED, operation)):
        reply = api.post(write.action, write.data)
    if reply.status == 200 and write.action == "batch_upsert":
        failed = [each for each in reply.body["results"] if each["status"] == "error"]
        assert {each["error"]["code"] for each in failed} <= {"busy", "validation_error"}
    elif reply.status != 200:
        assert busy(reply)
        # Only a purge has a second step: erasing the history, which the next call finishes.
        if not (write.data.get("hard") and operation in ("Query", "BatchWriteItem")):
            assert kept(api).items == before
        again = api.post(write.action, {**write.data, **reference(reply, write)})
        assert again.status in (200, 404)
    assert hours.passed < LIMIT
    check(kept(api), purging=True)


def reference(_: Reply, __: Write) -> dict[str, Any]:
    return {}
