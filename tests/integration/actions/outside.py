"""What is beside the table, played: the key of secrets, the queue, the receivers, the stream."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from local import dynamodb
from local.streams import Stream, as_json
from tests.integration.actions.api import Api

import alerts
import deliver
import reactions
import reports
from vitals.domain.connection import Connection, Secrets
from vitals.domain.delivery import OK, Attempt
from vitals.domain.instants import iso
from vitals.storage.reaction_ports import Files


@dataclass(frozen=True)
class Sent:
    """One attempt that reached the outside."""

    connection: Connection
    secrets: Secrets
    payload: Mapping[str, Any]
    at: datetime


Verdict = Callable[[Sent], Attempt]


def received(sent: Sent) -> Attempt:
    """The answer of a receiver that is well."""
    return Attempt(at=sent.at, verdict=OK, status=200, response="ok")


@dataclass
class Outside:
    """Everything that left, in its order; *verdict* decides what a receiver answers."""

    sent: list[Sent] = field(default_factory=list)
    queue: list[dict[str, str]] = field(default_factory=list)
    reports: list[dict[str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    verdict: Verdict = received

    def vault(self, _key: str) -> Outside:
        return self

    def sender(self, _url: str) -> Outside:
        return self

    def report_sender(self, _url: str) -> PlayedReports:
        return PlayedReports(self)

    def bucket(self, _name: str) -> PlayedFiles:
        return PlayedFiles(self)

    def seal(self, tenant_id: str, connection_id: str, secrets: Secrets) -> str:
        until = secrets.previous_until
        stored = asdict(secrets) | {"previous_until": iso(until) if until else None}
        return b64encode(json.dumps([tenant_id, connection_id, stored]).encode()).decode()

    def open(self, tenant_id: str, connection_id: str, sealed: str) -> Secrets:
        if not sealed:
            return Secrets()
        tenant, connection, stored = json.loads(b64decode(sealed))
        assert (tenant, connection) == (tenant_id, connection_id)
        until = stored["previous_until"]
        instant = datetime.fromisoformat(until) if until else None
        return Secrets(**stored | {"previous_until": instant})

    def send(self, tenant_id: str, deliveries: Sequence[tuple[str, str]]) -> None:
        self.queue += [
            {"tenant_id": tenant_id, "delivery_id": delivery} for delivery, _ in deliveries
        ]

    def attempt(
        self,
        _files: Files,
        connection: Connection,
        secrets: Secrets,
        payload: Mapping[str, Any],
        at: datetime,
    ) -> Attempt:
        # As it arrives: text.
        arrived = json.loads(json.dumps(payload, default=float))
        sent = Sent(connection, secrets, arrived, at)
        self.sent.append(sent)
        return self.verdict(sent)

    def told(self, kind: str) -> list[Any]:
        """The payloads of one type that were sent, in their order."""
        return [each.payload for each in self.sent if each.payload["type"] == kind]


@dataclass
class PlayedReports:
    """The queue of the reports function."""

    outside: Outside

    def send(self, tenant_id: str, job_id: str, _deduplication: str) -> None:
        self.outside.reports.append({"tenant_id": tenant_id, "job_id": job_id})


@dataclass
class PlayedFiles:
    """The bucket of reports."""

    outside: Outside

    def put(self, key: str, content: bytes, _media_type: str, _filename: str) -> None:
        self.outside.files[key] = content

    def get(self, key: str) -> bytes:
        return self.outside.files[key]

    def link(self, key: str, seconds: int) -> str:
        return f"https://files.example.com/{key}?expires={seconds}"


def make_reports(api: Api, messages: Sequence[Mapping[str, str]]) -> None:
    """Hand messages of the reports function's queue in."""
    for message in messages:
        record = {"messageId": message["job_id"], "body": json.dumps(message)}
        answer = reports.handler({"Records": [record]}, api.context)
        assert answer == {"batchItemFailures": []}


class Reacting:
    """The table's stream into the reactions function, and its queue into the deliver function."""

    def __init__(self, api: Api, outside: Outside, aws: Mapping[str, str]) -> None:
        self.api = api
        self.outside = outside
        name = api.table.item.Meta.table_name
        client, arn = dynamodb.stream(name, aws)
        self._arn = arn
        self._stream = Stream(client, arn, lambda _: None)

    def records(self) -> list[dict[str, Any]]:
        """Everything that was written since the last look, as Lambda would hand it in."""
        found = []
        while page := [record for _, records in self._stream.poll() for record in records]:
            found += [
                json.loads(as_json(each, self._arn.rpartition("/stream/")[0], "l")) for each in page
            ]
        return [each for each in found if self._passes(each)]

    def settle(self) -> None:
        """React to all that was written, and deliver all that follows, until all is quiet."""
        for _ in range(50):
            records = self.records()
            if not records and not self.outside.queue and not self.outside.reports:
                return
            self.react(records)
            messages, self.outside.reports[:] = list(self.outside.reports), []
            make_reports(self.api, messages)
            self.deliver()
        raise AssertionError("reactions follow from reactions")

    def react(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Hand one batch in."""
        answer = reactions.handler({"Records": list(records)}, self.api.context)
        assert answer == {"batchItemFailures": []}

    def deliver(self) -> None:
        """Hand in every message of the queue."""
        messages, self.outside.queue[:] = list(self.outside.queue), []
        for message in messages:
            record = {"messageId": message["delivery_id"], "body": json.dumps(message)}
            answer = deliver.handler({"Records": [record]}, self.api.context)
            assert answer == {"batchItemFailures": []}

    def tick(self, **units: float) -> None:
        """Let time pass, and have the schedule go on with what is due by then."""
        self.api.later(**units)
        alerts.handler({"time": iso(self.api.clock.now)}, self.api.context)
        reports.handler({"time": iso(self.api.clock.now)}, self.api.context)
        self.settle()

    @staticmethod
    def _passes(record: Mapping[str, Any]) -> bool:
        """Tell whether the event source's filters let the record through."""
        found = record["dynamodb"]
        image = found.get("NewImage", {})
        pending = image.get("state") == {"S": "pending"}
        report = image.get("state") == {"S": "queued"} and "queue" in image
        sort: str = found["Keys"]["SK"]["S"]
        return pending or report or sort.startswith(("C#", "MODEL#"))
