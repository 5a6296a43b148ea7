"""A workbench whose writes have consequences: the table's stream is read, the queue emptied."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from bench.workbench import Context, Workbench, opened
from local import dynamodb, template
from local.sources import StreamSource
from local.streams import Stream, as_json

import alerts
import deliver
import reactions
import reports
from vitals.domain.instants import iso
from vitals.storage.table import Table

_ROUNDS = 50
Record = Mapping[str, Any]


@dataclass(kw_only=True)
class Reacting(Workbench):
    """The functions as the holder of one key calls them, and what invokes them by itself."""

    stream: Stream
    tenant_id: str = ""

    def another_tenant(self, name: str, shards: int = 1) -> Reacting:
        """Return the functions as the holder of a new tenant's first key calls them."""
        made = super().another_tenant(name, shards)
        tenant_id = made.send("whoami")["data"]["tenant_id"]
        return Reacting(
            self.table, made.key, self.hands, self.outside, stream=self.stream, tenant_id=tenant_id
        )

    def everything(self) -> list[Record]:
        """Return each write for this tenant since the last look, as Lambda would hand it in."""
        found: list[Record] = []
        while page := [record for _, records in self.stream.poll() for record in records]:
            found += [json.loads(as_json(record, _source().table_arn, "bench")) for record in page]
        return [each for each in found if self._is_own(each)]

    def records(self) -> list[Record]:
        """Return those of them that the template lets through to the reactions."""
        return [each for each in self.everything() if _source().lets_through(each)]

    def react(self, records: Sequence[Record]) -> None:
        """Hand one batch in."""
        answer = reactions.handler({"Records": list(records)}, Context())
        if answer["batchItemFailures"]:
            raise AssertionError("the reaction broke off")

    def deliver(self) -> None:
        """Hand in every message of the queue."""
        messages, self.outside.queue[:] = list(self.outside.queue), []
        for message in messages:
            record = {"messageId": message["delivery_id"], "body": json.dumps(message)}
            if deliver.handler({"Records": [record]}, Context())["batchItemFailures"]:
                raise AssertionError("the delivery broke off")

    def make_reports(self) -> None:
        """Hand in every message of the queue of reports."""
        messages, self.outside.reports[:] = list(self.outside.reports), []
        for message in messages:
            self.make_report(message["tenant_id"], message["job_id"])

    def tick(self) -> None:
        """Have the schedule go on with what is due."""
        alerts.handler({"time": iso(self.hands.now)}, Context())

    def start_reports(self) -> None:
        """Have the schedule start the reports that are due."""
        reports.handler({"time": iso(self.hands.now)}, Context())

    def settle(self) -> None:
        """React to all that was written, and deliver all that follows, until all is quiet."""
        for _ in range(_ROUNDS):
            records = self.records()
            if not records and not self.outside.queue and not self.outside.reports:
                return
            self.react(records)
            self.make_reports()
            self.deliver()
        raise AssertionError("reactions follow from reactions")

    def _is_own(self, record: Record) -> bool:
        partition: str = record["dynamodb"]["Keys"]["PK"]["S"]
        return partition.startswith(f"T#{self.tenant_id}")


@contextmanager
def reacting(table: Table, aws: Mapping[str, str]) -> Iterator[Reacting]:
    """Have the functions work on an empty *table* that has a stream."""
    client, arn = dynamodb.stream(table.item.Meta.table_name, aws)
    with opened(table) as desk:
        stream = Stream(client, arn, lambda _: None)
        yield Reacting(desk.table, desk.key, desk.hands, desk.outside, stream=stream)


@cache
def _source() -> StreamSource:
    [found] = template.read(dynamodb.ROOT / "template.yaml", {}).stream_sources
    return found
