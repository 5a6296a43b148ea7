"""A stream event source at work: a table's records invoke a function, as Lambda's mapping does."""

import contextlib
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import streams
from local.console import complain
from local.folder import write_private
from local.follower import Follower
from local.functions import MAX_PAYLOAD, EventTooLargeError, FunctionError, RunningFunction
from local.queues import Place, Queues
from local.sources import StreamSource

FIRST_PAUSE_SECONDS = 0.2  # before a second attempt; each pause is twice the one before
_LONGEST_PAUSE_SECONDS = 3.0
_ENVELOPE = 1000  # bytes, more than an event has around its records

Record = dict[str, Any]


@dataclass(frozen=True)
class _Batch:
    """Records that are given to the function together, and how often that has failed."""

    records: list[Record]
    failures: int = 0


class StreamConsumer(Follower):
    """One stream's records, given to a function in their order until each is done or given up.

    A place moves when what lies before it is done: a batch under way when the process dies is
    given to the function again.
    """

    def __init__(
        self,
        source: StreamSource,
        function: RunningFunction,
        aws: Mapping[str, str],
        queues: Queues,
        dead_letters: Path,
        *,
        data: Path | None = None,
        first_pause: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        super().__init__(source.name, source.table, aws, queues, data)
        self._source = source
        self._function = function
        self._dead_letters = dead_letters
        self._first_pause = first_pause

    def deliver(self, place: Place, records: list[Record]) -> None:
        """Have done what *records* ask for, batch by batch, and keep the place behind each."""
        label = place.stream.rpartition("/")[2]
        wanted = []
        for each in records:
            text = streams.as_json(each, self._source.table_arn, label)
            record = json.loads(text)
            if self._source.lets_through(record):
                wanted.append((record, len(text.encode())))
        for batch in _batches(wanted, self._source.batch_size):
            self._complete(place, batch)
        if not self._is_stopping():
            self._queues.keep(place, _sequence_number(records[-1]))

    def silence(self) -> str:
        """Return what does not happen while the stream cannot be read."""
        return "what should follow from it does not"

    def _is_stopping(self) -> bool:
        return self._stopping.is_set() or self._function.stopped

    def _complete(self, place: Place, records: list[Record]) -> None:
        """Have all of *records* done or given up, one after another if need be, or stop early."""
        left = deque([_Batch(records)])
        while left and not self._is_stopping():
            batch = left.popleft()
            done, error = self._try(batch.records)
            if self._function.stopped and not done:
                return  # it waits for the next start
            if 0 < done < len(batch.records):
                left.appendleft(_Batch(batch.records[done:]))
            elif not done:
                again = self._again(batch, error)
                left.extendleft(reversed(again))
                done = 0 if again else len(batch.records)
            if done:
                self._queues.keep(place, _sequence_number(batch.records[done - 1]))

    def _try(self, records: list[Record]) -> tuple[int, str]:
        """Return how many of *records* are done, from the first on, and why not the rest."""
        try:
            answer = self._function.invoke({"Records": records})
        except FunctionError as error:
            return 0, str(error)
        except EventTooLargeError:
            return 0, "the event exceeds the 6 MB that Lambda takes"
        finally:
            self.handled += 1
        if not self._source.reports_failures:
            return len(records), ""
        return done_of(records, answer), f"it answered {answer[:200]}"

    def _again(self, batch: _Batch, error: str) -> list[_Batch]:
        """Return in what batches a failed one is tried again, after a pause; none: given up."""
        said = f"{self._function.name}: {error} (log: {self._function.log})"
        count, most = len(batch.records), self._source.max_retries
        if self._source.bisects and count > 1:
            complain(f"{said}; its {count} records are given to it again in two halves")
            return [_Batch(batch.records[: count // 2]), _Batch(batch.records[count // 2 :])]
        if batch.failures < most:
            pause = min(self._first_pause * 2**batch.failures, _LONGEST_PAUSE_SECONDS)
            complain(f"{said}; attempt {batch.failures + 1} of {most + 1}, the next in {pause:g} s")
            self._stopping.wait(pause)
            return [_Batch(batch.records, batch.failures + 1)]
        # The file is an event, so that `python -m local invoke` can hand it in again.
        first = _sequence_number(batch.records[0])
        path = self._dead_letters / f"{self._source.dead_letters}-{first}.json"
        path.parent.mkdir(exist_ok=True)
        event = {"Records": batch.records}
        write_private(path, json.dumps(event, ensure_ascii=False, indent=2) + "\n")
        complain(f"{said}; given up after {most + 1} attempts: the records are now {path}")
        return []


def done_of(records: list[Record], answer: str) -> int:
    """Return how many of *records* an *answer* says are done: those before the first that failed.

    None, if it names a failure that is none of them, or is no such answer.
    """
    with contextlib.suppress(ValueError, TypeError, KeyError):
        value = json.loads(answer)
        if value is None or (isinstance(value, dict) and not value.get("batchItemFailures")):
            return len(records)
        numbers = [_sequence_number(record) for record in records]
        return min(numbers.index(each["itemIdentifier"]) for each in value["batchItemFailures"])
    return 0


def _batches(records: list[tuple[Record, int]], most: int) -> Iterator[list[Record]]:
    """Yield *records*, each with its size in bytes, in batches that Lambda takes."""
    batch: list[Record] = []
    size = _ENVELOPE
    for record, length in records:
        if batch and (len(batch) == most or size + length > MAX_PAYLOAD):
            yield batch
            batch, size = [], _ENVELOPE
        batch.append(record)
        size += length + len(", ")
    if batch:
        yield batch


def _sequence_number(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
