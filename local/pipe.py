"""A pipe at work: what is written to a table comes to the queue that waits for it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import streams
from local.follower import Follower
from local.queues import Place, Queues
from local.sources import Pipe


class RunningPipe(Follower):
    """One pipe, reading its stream until it is stopped."""

    def __init__(
        self, pipe: Pipe, aws: Mapping[str, str], queues: Queues, data: Path | None = None
    ) -> None:
        super().__init__(pipe.name, pipe.table, aws, queues, data)
        self._pipe = pipe

    def deliver(self, place: Place, records: list[dict[str, Any]]) -> None:
        """Queue those of *records* that pass the filter, and keep the place after them all."""
        messages = []
        label = place.stream.rpartition("/")[2]
        for each in records:
            body = streams.as_json(each, self._pipe.table_arn, label)
            record = json.loads(body)
            if self._pipe.lets_through(record):
                messages.append((self._pipe.group(record), self._pipe.deduplication(record), body))
        last = records[-1]["dynamodb"]["SequenceNumber"]
        self._queues.send(self._pipe.queue.name, messages, place, last)

    def silence(self) -> str:
        """Return what does not happen while the stream cannot be read."""
        return f"nothing reaches {self._pipe.queue.name} and what it starts does not run"
