"""The functions of this checkout, called in this process over a table of the bench's own."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.outside import Outside
from local import dynamodb, template

import actions
import admin
import decay
import jobs
import reports
from vitals.runtime import clock
from vitals.runtime.logging import logger
from vitals.runtime.settings import settings
from vitals.runtime.wiring import wiring
from vitals.storage.table import Table


@dataclass
class Hands:
    """A clock's hands: they stand still unless moved, so that no cache expires in a measurement.

    *meanwhile* is what others do while a function waits.
    """

    now: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)
    meanwhile: Callable[[], object] = lambda: None

    def read(self) -> datetime:
        """Return where the hands are."""
        return self.now

    def monotonic(self) -> float:
        """Return seconds that grow with the hands."""
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        """Let time pass, which moves the hands, to the millisecond."""
        self.now += timedelta(milliseconds=round(seconds * 1000))

    def wait(self, seconds: float) -> None:
        """Let time pass as a function that waits does."""
        self.sleep(seconds)
        self.meanwhile()


class Context:
    """What Lambda hands a function beside the event."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is always left here."""
        return 29_000


@dataclass
class Workbench:
    """The functions as the holder of one key calls them."""

    table: Table
    key: str
    hands: Hands = field(default_factory=Hands)
    outside: Outside = field(default_factory=Outside)

    @property
    def client(self) -> Any:
        """Return the botocore client that every call goes through."""
        return self.table.connection.client

    def send(
        self, action: str, data: Mapping[str, Any] | None = None, idempotency_key: str = ""
    ) -> dict[str, Any]:
        """Post an action a millisecond after the one before, and return the body of its answer.

        One that is CSV is empty here.
        """
        self.hands.sleep(0.001)
        answer = actions.handler(self.event(action, data, idempotency_key), Context())
        as_csv = answer["headers"]["Content-Type"].startswith("text/csv")
        body: dict[str, Any] = {} if as_csv else json.loads(answer["body"])
        if answer["statusCode"] != 200:
            raise AssertionError(body)
        return body

    def event(
        self, action: str, data: Mapping[str, Any] | None = None, idempotency_key: str = ""
    ) -> dict[str, Any]:
        """Return the event of a POST, as API Gateway sends it."""
        return {
            "version": "2.0",
            "rawPath": actions.PATH,
            "rawQueryString": "",
            "headers": {
                "content-type": "application/json",
                "idempotency-key": idempotency_key,
                "x-api-key": self.key,
            },
            "requestContext": {
                "http": {"method": "POST", "path": actions.PATH, "sourceIp": "192.0.2.1"}
            },
            "body": json.dumps({"action": action, "data": data or {}}),
        }

    def request(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Return the event of a request of the resource API, as API Gateway sends it."""
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"content-type": "application/json", "authorization": f"Bearer {self.key}"},
            "requestContext": {"http": {"method": method, "path": path, "sourceIp": "192.0.2.1"}},
        }
        return event if body is None else event | {"body": json.dumps(body)}

    def run_job(self, tenant_id: str, job_id: str) -> None:
        """Run a job that is queued, as the message from its pipe would."""
        key = {"PK": {"S": f"T#{tenant_id}#JOBS"}, "SK": {"S": job_id}}
        record = {"messageId": job_id, "body": json.dumps({"dynamodb": {"Keys": key}})}
        answer = jobs.handler({"Records": [record]}, Context())
        if answer["batchItemFailures"]:
            raise AssertionError(f"the job {job_id} broke off")

    def make_reports(self) -> None:
        """Make every report that is queued, as the messages of its queue would."""
        tenant = str(self.send("whoami")["data"]["tenant_id"])
        for job in self.send("list_jobs", {"kind": "report", "state": "queued"})["data"]:
            self.make_report(tenant, job["id"])

    def make_report(self, tenant_id: str, job_id: str) -> None:
        """Make a report that is queued."""
        body = json.dumps({"tenant_id": tenant_id, "job_id": job_id})
        record = {"messageId": job_id, "body": body}
        if reports.handler({"Records": [record]}, Context())["batchItemFailures"]:
            raise AssertionError(f"the report {job_id} broke off")

    def decayed(self, days: int) -> str:
        """Let *days* pass, have the schedule start what is due, and return the tenant's job."""
        self.hands.sleep(days * 86_400)
        decay.handler({"time": self.hands.now.isoformat()}, Context())
        [job] = self.send("list_jobs", {"kind": "decay", "state": "queued"})["data"]
        return str(job["id"])

    def settle(self) -> None:
        """React to what was written: nobody reads the stream of a table that has none."""
        raise TypeError("a table without a stream has no consequences")

    def another_tenant(self, name: str, shards: int = 1) -> Workbench:
        """Return the functions as the holder of a new tenant's first key calls them."""
        answer = self.send("create_tenant", {"name": name, "shards": shards})
        return dataclasses.replace(self, key=answer["data"]["api_key"])


@contextmanager
def opened(table: Table) -> Iterator[Workbench]:
    """Have the functions work on an empty *table*, for the holder of the first key."""
    hands, outside = Hands(), Outside()
    with attached(table, hands, outside):
        answer = admin.handler({"command": "bootstrap"}, Context())
        yield Workbench(table, answer["api_key"], hands, outside)


@contextmanager
def attached(table: Table, hands: Hands, outside: Outside | None = None) -> Iterator[None]:
    """Have the functions work on *table*, nothing in their memory, by a clock with *hands*.

    What they send leaves for *outside*.
    """
    played = outside or Outside()
    with ExitStack() as stack:
        stack.enter_context(
            patch.multiple(clock, now=hands.read, monotonic=hands.monotonic, sleep=hands.wait)
        )
        stack.enter_context(patch("vitals.runtime.wiring.Table", return_value=table))
        stack.enter_context(
            patch.multiple(
                "vitals.runtime.outbound",
                KeyVault=played.vault,
                QueueSender=played.sender,
                JobSender=played.report_sender,
                BucketFiles=played.bucket,
                attempt=played.attempt,
            )
        )
        stack.callback(forget)
        forget()
        yield


def forget() -> None:
    """Have the functions read their settings and make their storage anew."""
    settings.cache_clear()
    wiring.cache_clear()


@contextmanager
def embedded(*, streamed: bool = False) -> Iterator[Mapping[str, str]]:
    """Run an embedded DynamoDB with the template's table, and have the environment lead to it.

    The table has its stream if it is to be *streamed*.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        dynamodb.embedded(Path(folder) / "log") as endpoint,
    ):
        aws = dynamodb.credentials(endpoint, {})
        dynamodb.ensure(_table() if streamed else streamless(), aws)
        with patch.dict(os.environ, aws), unread_log():
            yield aws


@contextmanager
def unread_log() -> Iterator[None]:
    """Have the functions write their log to nobody."""
    handler = logger().registered_handler
    if not isinstance(handler, logging.StreamHandler):
        raise TypeError("the log goes to no stream")
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        before = handler.setStream(nowhere)
        try:
            yield
        finally:
            handler.setStream(before)


def streamless() -> template.Table:
    """Return the template's table without its stream, which nobody reads here.

    The engine is slowed down by every record that it has ever kept.
    """
    found = _table()
    definition = copy.deepcopy(dict(found.definition))
    definition.pop("StreamSpecification", None)
    return dataclasses.replace(found, definition=definition)


def _table() -> template.Table:
    [found] = template.read(dynamodb.ROOT / "template.yaml", {}).tables
    return found
