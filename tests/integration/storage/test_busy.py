"""What the table cannot take just now is one error, whatever botocore and pynamodb call it."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from local import template
from pynamodb.exceptions import TransactWriteError
from tests.builders import NOW
from tests.integration.tables import created

from vitals.storage.ports import StorageBusyError, WriteConflictError
from vitals.storage.table import Table, Writes

PLACE = ("here", "there")
Fault = Callable[[], AWSResponse]


def transact(table: Table) -> None:
    writes = Writes()
    writes.put("name", table.item(*PLACE), table.item.PK.does_not_exist())
    table.transact(writes)


CALLS: dict[str, Callable[[Table], object]] = {
    "get": lambda table: table.get(PLACE),
    "get_many": lambda table: table.get_many([PLACE]),
    "query": lambda table: list(table.query("here")),
    "transact": transact,
    "put": lambda table: table.put(table.item(*PLACE)),
    "delete_many": lambda table: table.delete_many([PLACE]),
    "add": lambda table: table.add(table.item(*PLACE), {"reads": 1}, NOW),
}


def refused(status: int, code: str, **more: object) -> Fault:
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    body = json.dumps({"__type": kind, "message": "not now", **more}).encode()
    raw: Any = SimpleNamespace(stream=lambda: [body])
    headers: Any = {}
    return lambda: AWSResponse("http://localhost", status, headers, raw)


def cancelled(*codes: str) -> Fault:
    reasons = [{"Code": code, "Message": "not now"} for code in codes]
    return refused(400, "TransactionCanceledException", CancellationReasons=reasons)


def lost(error: Callable[..., Exception]) -> Fault:
    def fail() -> AWSResponse:
        raise error(endpoint_url="http://localhost", error="gone")

    return fail


FAULTS: dict[str, Fault] = {
    "ThrottlingException": refused(400, "ThrottlingException"),
    "throughput": refused(400, "ProvisionedThroughputExceededException"),
    "RequestLimitExceeded": refused(400, "RequestLimitExceeded"),
    "InternalServerError": refused(500, "InternalServerError"),
    "ServiceUnavailable": refused(503, "ServiceUnavailable"),
    "TransactionConflictException": refused(400, "TransactionConflictException"),
    "nobody listens": lost(EndpointConnectionError),
    "connecting takes too long": lost(ConnectTimeoutError),
    "answering takes too long": lost(ReadTimeoutError),
    "hung up": lost(ConnectionClosedError),
}


@pytest.fixture
def broken(
    engine_table: Table, template_table: template.Table, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Fault], Table]]:
    """Give the table whose every call ends in a fault, without botocore's own retries."""
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: False)
    client: Any = engine_table.connection.client
    hooked: list[Callable[..., AWSResponse]] = []

    def breaking(fault: Fault) -> Table:
        hooked.append(lambda **_: fault())
        client.meta.events.register_first("before-send.dynamodb", hooked[-1])
        return engine_table

    with created(engine_table, template_table):
        yield breaking
        for hook in hooked:
            client.meta.events.unregister("before-send.dynamodb", hook)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_that_the_table_does_not_take_is_busy(
    broken: Callable[[Fault], Table], call: Callable[[Table], object], fault: Fault
) -> None:
    with pytest.raises(StorageBusyError):
        call(broken(fault))


@pytest.mark.parametrize(
    "code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
)
def test_a_transaction_that_met_another_is_busy(
    broken: Callable[[Fault], Table], code: str
) -> None:
    with pytest.raises(StorageBusyError):
        transact(broken(cancelled(code)))


def test_a_condition_that_failed_beside_a_conflict_is_the_conflict_that_counts(
    broken: Callable[[Fault], Table],
) -> None:
    """Trying again as it stands would fail again: the writer must read first."""
    writes = Writes()
    table = broken(cancelled("None", "TransactionConflict", "ConditionalCheckFailed"))
    for label in ("version", "name", "answer"):
        writes.put(label, table.item(label, label), table.item.PK.does_not_exist())
    with pytest.raises(WriteConflictError) as caught:
        table.transact(writes)
    assert caught.value.on == {"answer"}


def test_what_is_no_matter_of_time_is_not_busy(broken: Callable[[Fault], Table]) -> None:
    with pytest.raises(TransactWriteError):
        transact(broken(refused(400, "ValidationException")))
