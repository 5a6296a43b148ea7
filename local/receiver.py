"""An SQS event source at work: a queue's messages invoke a function, as Lambda's mapping does."""

import contextlib
import hashlib
import json
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from local.console import complain
from local.folder import write_private
from local.functions import (
    MAX_QUEUE_WORKERS,
    MAX_WORKERS,
    EventTooLargeError,
    FunctionError,
    RunningFunction,
)
from local.queues import Message, Queues
from local.sources import EventSource
from local.template import Template

# In AWS a message that failed comes back after the queue's visibility timeout, which is minutes.
RETRY_SECONDS = 3.0


class Receiver:
    """One queue's messages, each given to a function until it is done or given up."""

    def __init__(
        self,
        source: EventSource,
        function: RunningFunction,
        queues: Queues,
        dead_letters: Path,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._source = source
        self._function = function
        self._queues = queues
        self._dead_letters = dead_letters
        self._retry_seconds = retry_seconds
        self._threads = [
            threading.Thread(target=self._receive, name=f"{source.queue.name}-{n}", daemon=True)
            for n in range(_concurrency(source))
        ]

    def start(self) -> None:
        """Begin to receive; the queues' stop() ends it."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until what is being handled is handled."""
        for thread in self._threads:
            thread.join()

    def _receive(self) -> None:
        while (message := self._queues.receive(self._source.queue.name)) is not None:
            event = to_event(message, self._source.queue.arn)
            error = self._handle(event)
            if error is None:
                self._queues.delete(message)
            elif not self._function.stopped:  # else it waits for the next start
                self._failed(message, event, error)

    def _handle(self, event: dict[str, Any]) -> str | None:
        """Return why the function has not handled *event*, or None if it has."""
        try:
            answer = self._function.invoke(event)
        except FunctionError as error:
            return str(error)
        except EventTooLargeError:
            return "the event exceeds the 6 MB that Lambda takes"
        return refusal(answer) if self._source.reports_failures else None

    def _failed(self, message: Message, event: dict[str, Any], error: str) -> None:
        attempts, most = message.failures + 1, self._source.queue.max_receives
        said = f"{self._function.name}: {error} (log: {self._function.log})"
        if most is None or attempts < most:
            of = f"{attempts} of {most}" if most else str(attempts)
            complain(f"{said}; attempt {of}, the next in {self._retry_seconds:g} s")
            self._queues.retry(message, self._retry_seconds)
            return
        # The file is an event, so that `python -m local invoke` can hand it in again.
        path = self._dead_letters / f"{self._source.queue.name}-{message.id}.json"
        path.parent.mkdir(exist_ok=True)
        write_private(path, json.dumps(event, ensure_ascii=False, indent=2) + "\n")
        complain(f"{said}; given up after {attempts} attempts: the message is now {path}")
        self._queues.delete(message)


def workers(template: Template, function: str) -> int:
    """Return how many events *function* may be handling at once."""
    fed = (_concurrency(source) for source in template.event_sources if source.function == function)
    return max([MAX_WORKERS, *fed])


def _concurrency(source: EventSource) -> int:
    return min(source.concurrency or MAX_WORKERS, MAX_QUEUE_WORKERS)


def to_event(message: Message, queue_arn: str) -> dict[str, Any]:
    """Return *message* as the event that a function receives."""
    record = {
        "messageId": message.id,
        "receiptHandle": str(uuid.uuid4()),
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.failures + 1),
            "SentTimestamp": str(int(message.sent * 1000)),
            "SequenceNumber": f"{message.sequence:020}",
            "MessageGroupId": message.group,
            "SenderId": "local",
            "MessageDeduplicationId": message.deduplication,
            "ApproximateFirstReceiveTimestamp": str(int(time.time() * 1000)),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    return {"Records": [record]}


def refusal(answer: str) -> str | None:
    """Return why a function's *answer* leaves its message undone, or None if it is done."""
    with contextlib.suppress(ValueError):
        value = json.loads(answer)
        if value is None or (isinstance(value, dict) and not value.get("batchItemFailures")):
            return None
    return f"it answered {answer[:200]}"
