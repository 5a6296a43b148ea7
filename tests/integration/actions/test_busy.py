"""A table that throttles, is slow or loses its answers: retried, then 503, nothing by halves."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.integration.actions.api import Api, LambdaContext, Reply
from tests.integration.actions.writes import WRITES, Write
from tests.integration.faults.kept import check, kept, without_ids
from tests.integration.faults.wire import THROTTLED, TIMEOUT, Fault, Sent, Wire

from vitals.storage.ports import StorageBusyError
from vitals.storage.table import Item, Table, Writes

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
    """The time that a request takes; nobody waits for real, botocore included."""
    hours = Hours()
    monkeypatch.setattr(time, "sleep", hours.wait)
    monkeypatch.setattr("vitals.runtime.clock.sleep", hours.wait)
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: True)
    api.context = Deadline(hours)
    return hours


@pytest.fixture
def wire(api: Api) -> Wire:
    return Wire(api.table)


def always(fault: Fault, *operations: str) -> Callable[[Sent], Fault | None]:
    return lambda sent: fault if sent.operation in operations else None


def at_first(count: int, fault: Fault, *operations: str) -> Callable[[Sent], Fault | None]:
    left = iter(range(count))

    def plan(sent: Sent) -> Fault | None:
        hit = sent.operation in operations and next(left, None) is not None
        return fault if hit else None

    return plan


def is_busy(reply: Reply) -> bool:
    """Whether *reply* says: not now, and when."""
    assert (reply.status, reply.code) == (503, "busy"), reply.body
    assert reply.headers["retry-after"].isdigit()
    assert reply.headers["x-ratelimit-limit"].isdigit()
    return True


def undisturbed(api: Api, write: Write) -> tuple[str, str]:
    """What the write answers, and leaves, in a tenant of its own where nothing is wrong."""
    other = api.another_tenant()
    write.prepare(other)
    reply = other.post(write.action, write.data)
    return told(reply), kept(other).told


def told(reply: Reply) -> str:
    assert reply.status == 200, reply.body
    return without_ids(json.dumps(reply.body))


@EACH
def test_a_write_whose_answer_was_lost_is_answered_once_and_applied_once(
    api: Api, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = undisturbed(api, write)
    write.prepare(api)
    transact, lost = Table.transact, list[Writes]()

    def lose_the_first(table: Table, writes: Writes) -> None:
        transact(table, writes)
        if not lost:
            lost.append(writes)
            raise StorageBusyError

    monkeypatch.setattr(Table, "transact", lose_the_first)
    reply = api.post(write.action, write.data)
    assert (told(reply), kept(api).told) == expected
    assert lost or reply.body["unchanged"]


@EACH
def test_a_write_that_is_throttled_for_a_while_is_made_in_the_end(
    api: Api, wire: Wire, hours: Hours, write: Write
) -> None:
    expected = undisturbed(api, write)
    write.prepare(api)
    with wire.failing(at_first(5, THROTTLED, "TransactWriteItems", "PutItem")):
        reply = api.post(write.action, write.data)
    assert (told(reply), kept(api).told) == expected
    assert 0 < hours.passed < LIMIT or reply.body.get("unchanged")


@EACH
@pytest.mark.parametrize("operation", ["GetItem", "TransactWriteItems", "PutItem", "BatchGetItem"])
def test_a_write_that_is_always_throttled_is_a_503_and_stores_nothing(
    api: Api, wire: Wire, hours: Hours, write: Write, operation: str
) -> None:
    expected = undisturbed(api, write)
    write.prepare(api)
    before = kept(api).told
    with wire.failing(always(THROTTLED, operation)):
        reply = api.post(write.action, write.data)
    assert hours.passed < LIMIT
    if reply.status == 200:
        # It makes no such call, or it is a batch, of which each record is busy by itself.
        errors = {
            each["error"]["code"] for each in reply.body.get("results", []) if "error" in each
        }
        assert kept(api).told == expected[1] or errors == {"busy", "validation_error"}
    else:
        assert is_busy(reply)
        assert kept(api).told == before
    check(kept(api))


@pytest.mark.parametrize("operation", ["Query", "BatchWriteItem"])
def test_a_purge_that_is_cut_short_is_finished_by_the_next(
    api: Api, wire: Wire, hours: Hours, operation: str
) -> None:
    made = api.upsert("Acme", note="secret")
    with wire.failing(always(THROTTLED, operation)):
        reply = api.post("delete_customer", {"id": made["id"], "hard": True}, idempotency_key="k")
    assert is_busy(reply)
    assert hours.passed < LIMIT
    check(kept(api), purging=True)
    reply = api.post("delete_customer", {"id": made["id"], "hard": True}, idempotency_key="k")
    assert reply.status == 200
    check(kept(api))
    assert "secret" not in str(kept(api).items)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fault", [THROTTLED, TIMEOUT], ids=["throttled", "timeout"])
@pytest.mark.parametrize("operation", ["TransactWriteItems", "GetItem"])
def test_a_request_answers_before_its_time_is_over(
    api: Api, wire: Wire, hours: Hours, *, operation: str, fault: Fault, seed: int
) -> None:
    """API Gateway and Lambda cut off what does not, and the caller learns nothing."""
    made = api.upsert("Acme")
    random.seed(seed)
    # A cold start, or a batch's other records, took their part already.
    hours.wait(2.5 * seed)

    def slowly(sent: Sent) -> Fault | None:
        if sent.operation != operation:
            return None
        if fault is TIMEOUT:
            hours.wait(Item.Meta.read_timeout_seconds)
        return fault

    with wire.failing(slowly):
        reply = api.post("update_health", {"id": made["id"], "field": "mrr", "value": 5})
    assert is_busy(reply)
    assert hours.passed < LIMIT
    assert api.customer(id=made["id"])["version"] == 1


@pytest.mark.parametrize(
    ("operation", "action", "asked"),
    [
        ("GetItem", "get_customer", {"id": "x"}),
        ("Query", "list_customers", {}),
        ("Query", "list_customers", {"sort": "score"}),
        ("Query", "list_changes", {}),
    ],
)
def test_a_read_that_is_always_throttled_is_a_503(
    api: Api, wire: Wire, hours: Hours, *, operation: str, action: str, asked: dict[str, object]
) -> None:
    api.get("whoami")
    with wire.failing(always(THROTTLED, operation)):
        assert is_busy(api.get(action, **asked))
    assert hours.passed < LIMIT
    assert api.get("list_customers").status == 200


@pytest.mark.usefixtures("hours")
def test_a_key_that_cannot_be_looked_up_is_a_503_and_no_401(api: Api, wire: Wire) -> None:
    """A 401 would expire the caller's connection for good."""
    api.restart()
    with wire.failing(always(THROTTLED, "GetItem")):
        assert is_busy(api.get("whoami"))
    assert api.get("whoami").status == 200


@pytest.mark.usefixtures("hours")
def test_a_counter_that_is_throttled_lets_the_request_pass(api: Api, wire: Wire) -> None:
    api.get("whoami")
    with wire.failing(always(THROTTLED, "UpdateItem")):
        assert api.get("list_customers").status == 200


@pytest.mark.usefixtures("hours")
def test_a_record_that_is_always_throttled_costs_the_others_nothing(api: Api, wire: Wire) -> None:
    def unlucky(sent: Sent) -> Fault | None:
        hit = sent.operation == "TransactWriteItems" and "Unlucky" in json.dumps(sent.body)
        return THROTTLED if hit else None

    records = [{"name": name} for name in ("Acme", "Unlucky", "Bolt")]
    with wire.failing(unlucky):
        reply = api.post("batch_upsert", {"customers": records})
    results = [each.get("error", {}).get("code", each["status"]) for each in reply.body["results"]]
    assert results == ["created", "busy", "created"]
    check(kept(api))


@pytest.mark.usefixtures("hours")
def test_a_read_that_fails_inside_a_batch_costs_the_others_nothing(api: Api, wire: Wire) -> None:
    api.upsert("Unlucky")
    records = [{"name": name, "mrr": 1, "logins": 1} for name in ("Acme", "Unlucky", "Unlucky")]
    with wire.failing(always(THROTTLED, "GetItem")):
        reply = api.post("batch_upsert", {"customers": records})
    results = [each.get("error", {}).get("code", each["status"]) for each in reply.body["results"]]
    assert results == ["created", "updated", "busy"]
    check(kept(api))
