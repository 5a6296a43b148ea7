"""The wire between botocore and the table, on which a test loses, delays and refuses calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from vitals.storage.table import Table

BEFORE, AFTER = "before", "after"
"""When a call is lost: on its way to the table, or its answer on the way back."""


@dataclass(frozen=True)
class Sent:
    """One HTTP request of one DynamoDB call; botocore's retries share the call's number."""

    number: int
    operation: str
    body: dict[str, Any]

    @property
    def writes(self) -> bool:
        """Whether the call may change the table."""
        return self.operation in ("PutItem", "UpdateItem", "TransactWriteItems", "BatchWriteItem")


@dataclass(frozen=True)
class Fault:
    """What comes back instead of the table's answer."""

    name: str
    answer: Callable[[AWSPreparedRequest, Sent], AWSResponse]
    hits: Callable[[Sent], bool] = lambda _: True


def refusal(status: int, code: str, **more: object) -> Callable[..., AWSResponse]:
    """What DynamoDB answers when it refuses a call."""

    def answer(request: AWSPreparedRequest, sent: Sent) -> AWSResponse:  # noqa: ARG001 - any call
        kind = f"com.amazonaws.dynamodb.v20120810#{code}"
        body = json.dumps({"__type": kind, "message": "injected", **more}).encode()
        return AWSResponse(
            request.url, status, HTTPHeaders(), SimpleNamespace(stream=lambda: [body])
        )

    return answer


def _conflict(request: AWSPreparedRequest, sent: Sent) -> AWSResponse:
    if sent.operation != "TransactWriteItems":
        return refusal(400, "TransactionConflictException")(request, sent)
    reasons: list[dict[str, str]] = [{"Code": "None"} for _ in sent.body["TransactItems"]]
    reasons[-1] = {"Code": "TransactionConflict", "Message": "injected"}
    return refusal(400, "TransactionCanceledException", CancellationReasons=reasons)(request, sent)


def _timeout(request: AWSPreparedRequest, sent: Sent) -> AWSResponse:  # noqa: ARG001 - any call
    raise ReadTimeoutError(endpoint_url=request.url)


def _closed(request: AWSPreparedRequest, sent: Sent) -> AWSResponse:  # noqa: ARG001 - any call
    raise ConnectionClosedError(endpoint_url=request.url)


class Crash(BaseException):
    """The process is no more: nothing in it catches this, and nothing is sent after it."""


def _crash(request: AWSPreparedRequest, sent: Sent) -> AWSResponse:  # noqa: ARG001 - any call
    raise Crash


THROTTLED = Fault("throttled", refusal(400, "ThrottlingException"))
UNAVAILABLE = Fault("500", refusal(500, "InternalServerError"))
TIMEOUT = Fault("timeout", _timeout)
CLOSED = Fault("closed", _closed)
CONFLICT = Fault("conflict", _conflict, hits=lambda sent: sent.writes)
CRASH = Fault("crash", _crash)
EXPIRED = Fault("expired credentials", refusal(400, "ExpiredTokenException"))

Plan = Callable[[Sent], Fault | None]


@dataclass
class Wire:
    """Every request to the table passes here; a plan says which of them fail, and how."""

    table: Table
    sent: list[Sent] = field(default_factory=list)
    plan: Plan = lambda _: None
    moment: str = BEFORE
    delay: Callable[[], None] = lambda: None
    dead: bool = False
    _numbers: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def calls(self) -> dict[int, Sent]:
        """The calls by number, in the order in which they began."""
        return {sent.number: sent for sent in self.sent}

    @contextmanager
    def tapped(self) -> Iterator[Wire]:
        """Watch the wire for the length of a with block, counting calls from 1."""
        client: Any = self.table.connection.client  # pynamodb types but a part of it
        self.sent.clear()
        self._numbers.clear()
        client.meta.events.register_first("before-send.dynamodb", self._pass)
        try:
            yield self
        finally:
            client.meta.events.unregister("before-send.dynamodb", self._pass)

    @contextmanager
    def failing(self, plan: Plan, moment: str = BEFORE) -> Iterator[Wire]:
        """Have what *plan* picks fail for the length of a with block."""
        self.plan, self.moment = plan, moment
        try:
            with self.tapped():
                yield self
        finally:
            self.plan, self.dead = (lambda _: None), False

    def _pass(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        if self.dead:
            raise Crash
        sent = self._noted(request)
        self.delay()
        fault = self.plan(sent)
        if fault is None:
            return None
        if self.moment == AFTER:
            client: Any = self.table.connection.client
            client._endpoint.http_session.send(request)  # noqa: SLF001 - botocore's only way
        self.dead = fault is CRASH
        return fault.answer(request, sent)

    def _noted(self, request: AWSPreparedRequest) -> Sent:
        with self._lock:
            headers = {name.lower(): _text(value) for name, value in request.headers.items()}
            call = headers["amz-sdk-invocation-id"]
            number = self._numbers.setdefault(call, len(self._numbers) + 1)
            operation = headers["x-amz-target"].rpartition(".")[2]
            sent = Sent(
                number,
                operation,
                json.loads(request.body if isinstance(request.body, str | bytes) else "{}"),
            )
            self.sent.append(sent)
            return sent


def call_number(number: int, fault: Fault) -> Plan:
    """Fail one call, however often botocore sends it."""
    return lambda sent: fault if sent.number == number and fault.hits(sent) else None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
