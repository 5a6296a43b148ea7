"""A pipe at work: what is written to a table comes to the queue that waits for it."""

import json
import sqlite3
import threading
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local import dynamodb, streams
from local.console import LocalCloudError, complain, say
from local.queues import Place, Queues
from local.sources import Pipe
from local.streams import Stream

POLL_SECONDS = 0.25  # between two looks at a stream that had nothing: EventBridge's own base rate
_PAUSE_SECONDS = 2.0


class RunningPipe(threading.Thread):
    """One pipe, reading its stream until it is stopped, whatever happens to the database."""

    def __init__(self, pipe: Pipe, aws: Mapping[str, str], queues: Queues) -> None:
        super().__init__(name=pipe.name, daemon=True)
        self._pipe = pipe
        self._aws = aws
        self._queues = queues
        self._stopping = threading.Event()
        self._silent = False
        self._asked = 0  # how often somebody has asked for all that is written
        self._answered = 0  # up to which of them it has all been read
        self._changed = threading.Condition()

    def stop(self) -> None:
        """Read nothing any more; a page under way is finished."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def catch_up(self) -> None:
        """Return once all that was written before this call is queued, or after stop().

        Raises LocalCloudError while the stream cannot be read.
        """
        with self._changed:
            self._asked = mine = self._asked + 1
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._answered >= mine or self._silent or self._stopping.is_set()
            )
            if self._silent:
                raise LocalCloudError(f"{self.name} cannot read the stream of {self._pipe.table}.")

    def run(self) -> None:
        """Read until stop()."""
        while not self._stopping.is_set():
            try:
                self._read()
            except (BotoCoreError, ClientError, LocalCloudError, sqlite3.Error) as error:
                if not self._stopping.wait(_PAUSE_SECONDS):
                    self._complain(error)

    def _read(self) -> None:
        client, arn = dynamodb.stream(self._pipe.table, self._aws)
        stream = Stream(
            client, arn, lambda shard: self._queues.place(Place(self._pipe.name, arn, shard))
        )
        while not self._stopping.is_set():
            found = 0
            asked = self._asked
            for shard, records in stream.poll():
                self._deliver(arn, shard, records)
                found += len(records)
            self._rejoice()
            if not found:
                self._rest(asked)

    def _rest(self, asked: int) -> None:
        """Say that all is read that was written before it was *asked* for, and pause."""
        with self._changed:
            self._answered = asked
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._asked > asked or self._stopping.is_set(), POLL_SECONDS
            )

    def _deliver(self, arn: str, shard: str, records: list[dict[str, Any]]) -> None:
        """Queue those of *records* that pass the filter, and keep the place after them all."""
        if not records:
            return
        messages = []
        for each in records:
            body = streams.as_json(each, self._pipe.table_arn, arn.rpartition("/")[2])
            record = json.loads(body)
            if self._pipe.lets_through(record):
                messages.append((self._pipe.group(record), self._pipe.deduplication(record), body))
        place = Place(self._pipe.name, arn, shard)
        last = records[-1]["dynamodb"]["SequenceNumber"]
        self._queues.send(self._pipe.queue.name, messages, place, last)

    def _complain(self, error: Exception) -> None:
        if not self._silent:
            complain(
                f"{self._pipe.name} cannot read the stream of {self._pipe.table}, so nothing"
                f" reaches {self._pipe.queue.name} and what it starts does not run: {error}"
            )
        with self._changed:
            self._silent = True
            self._changed.notify_all()

    def _rejoice(self) -> None:
        if self._silent:
            say(f"{self._pipe.name} reads the stream of {self._pipe.table} again.")
        self._silent = False
