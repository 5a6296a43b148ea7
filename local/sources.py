"""What template.yaml says of what invokes functions without a request: pipes, queues, streams."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local import patterns
from local.console import LocalCloudError
from local.document import FUNCTION, PIPE, QUEUE, TABLE, Document, queue_url

# The rest is AWS's business and changes nothing that a function can see.
_PIPE = {"Source", "SourceParameters", "Target", "TargetParameters"}
_PIPE_IN_AWS = {"Description", "KmsKeyIdentifier", "LogConfiguration", "Name", "RoleArn", "Tags"}
# How a send that fails is tried again: one into the local queue cannot fail.
_STREAM = {"BatchSize", "DeadLetterConfig", "MaximumBatchingWindowInSeconds"}
_STREAM |= {"MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "OnPartialBatchItemFailure"}
_STREAM |= {"ParallelizationFactor", "StartingPosition"}
_MAPPING = {"BatchSize", "BisectBatchOnFunctionError", "DestinationConfig", "FilterCriteria"}
_MAPPING |= {"FunctionResponseTypes", "MaximumRetryAttempts", "StartingPosition", "Stream"}
# Records of one key stay in order however many batches run at once; here it is one batch a shard.
# And nothing is too old: a record's age would say how long the local cloud was not running.
_MAPPING_IN_AWS = {"MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds"}
_MAPPING_IN_AWS |= {"ParallelizationFactor"}
_MAX_BATCH = 100  # what Lambda takes where the template does not say
_MAX_RETRIES = 10_000


@dataclass(frozen=True)
class Queue:
    """One FIFO queue, and after how many attempts at a message it goes to the dead letters."""

    name: str
    arn: str
    max_receives: int | None
    deduplicates_by_content: bool = False

    @property
    def url(self) -> str:
        """By what who sends to it calls it."""
        return queue_url(self.arn)


@dataclass(frozen=True)
class Pipe:
    """One pipe from a table's stream to a FIFO queue."""

    name: str
    table: str
    table_arn: str
    queue: Queue
    filters: tuple[Callable[[Any], bool], ...]
    group: Callable[[Any], str]
    deduplication: Callable[[Any], str]

    def lets_through(self, record: Any) -> bool:
        """Return whether one of the filters matches, or there is none."""
        return not self.filters or any(matches(record) for matches in self.filters)


@dataclass(frozen=True)
class EventSource:
    """A queue whose messages invoke a function, one message at a time."""

    queue: Queue
    function: str
    concurrency: int | None
    reports_failures: bool


@dataclass(frozen=True)
class StreamSource:
    """A table's stream whose records invoke a function, batch by batch."""

    name: str
    function: str
    table: str
    table_arn: str
    filters: tuple[Callable[[Any], bool], ...]
    batch_size: int
    max_retries: int
    bisects: bool
    reports_failures: bool
    dead_letters: str  # the queue that AWS sends them to, or the source's name

    def lets_through(self, record: Any) -> bool:
        """Return whether one of the filters matches, or there is none."""
        return not self.filters or any(matches(record) for matches in self.filters)


def pipes(document: Document) -> Iterator[Pipe]:
    """Yield every pipe of *document*; refuse what the local cloud cannot play."""
    for name in document.resources(PIPE):
        properties = document.properties(name)
        _only(name, properties, _PIPE | _PIPE_IN_AWS)
        found = document.resolve({key: properties.get(key, {}) for key in _PIPE})
        table = _table(name, document, found["Source"])
        group, deduplication = _ids(name, found["TargetParameters"])
        yield Pipe(
            name=name,
            table=document.physical_name(table),
            table_arn=document.arn(table),
            queue=_queue(name, document, found["Target"]),
            filters=tuple(_filters(name, found["SourceParameters"])),
            group=group,
            deduplication=deduplication,
        )


def _table(pipe: str, document: Document, source: Any) -> str:
    for table in document.resources(TABLE):
        if source == document.stream_arn(table):
            return table
    raise _cannot(pipe, "a source that is no stream of a table here")


def _filters(pipe: str, source: Mapping[str, Any]) -> Iterator[Callable[[Any], bool]]:
    _only(pipe, source, {"DynamoDBStreamParameters", "FilterCriteria"})
    stream = source.get("DynamoDBStreamParameters", {})
    _only(pipe, stream, _STREAM)
    if stream.get("StartingPosition") != "TRIM_HORIZON":
        raise _cannot(pipe, "a start elsewhere than at TRIM_HORIZON")
    for each in source.get("FilterCriteria", {}).get("Filters", []):
        yield patterns.matcher(each["Pattern"])


def _ids(pipe: str, target: Mapping[str, Any]) -> tuple[Callable[[Any], str], Callable[[Any], str]]:
    _only(pipe, target, {"SqsQueueParameters"})
    found = target.get("SqsQueueParameters", {})
    if not {"MessageGroupId", "MessageDeduplicationId"} <= set(found):
        raise _cannot(pipe, "a message without group and deduplication id")
    return (
        patterns.reader(found["MessageGroupId"]),
        patterns.reader(found["MessageDeduplicationId"]),
    )


def event_sources(document: Document) -> Iterator[EventSource]:
    """Yield every queue that invokes a function; refuse what the local cloud cannot play."""
    for function in document.resources(FUNCTION):
        for event in document.properties(function).get("Events", {}).values():
            if event["Type"] != "SQS":
                continue
            found = document.resolve(event["Properties"])
            supported = {"Queue", "BatchSize", "FunctionResponseTypes", "ScalingConfig"}
            _only(function, found, supported)
            if found.get("BatchSize") != 1:
                raise _cannot(function, "a BatchSize other than 1")
            yield EventSource(
                queue=_queue(function, document, found["Queue"]),
                function=function,
                concurrency=found.get("ScalingConfig", {}).get("MaximumConcurrency"),
                reports_failures="ReportBatchItemFailures"
                in found.get("FunctionResponseTypes", []),
            )


def stream_sources(document: Document) -> Iterator[StreamSource]:
    """Yield every stream that invokes a function; refuse what the local cloud cannot play."""
    for function in document.resources(FUNCTION):
        for name, event in document.properties(function).get("Events", {}).items():
            if event["Type"] == "DynamoDB":
                found = document.resolve(event["Properties"])
                yield _stream_source(f"{function}.{name}", function, document, found)


def _stream_source(
    name: str, function: str, document: Document, found: Mapping[str, Any]
) -> StreamSource:
    _only(name, found, _MAPPING | _MAPPING_IN_AWS)
    if found.get("StartingPosition") != "TRIM_HORIZON":
        raise _cannot(name, "a start elsewhere than at TRIM_HORIZON")
    retries = found.get("MaximumRetryAttempts", -1)
    if not 0 <= retries <= _MAX_RETRIES:
        raise _cannot(name, "no MaximumRetryAttempts: one record could stop all others")
    filters = found.get("FilterCriteria", {}).get("Filters", [])
    table = _table(name, document, found.get("Stream"))
    return StreamSource(
        name=name,
        function=function,
        table=document.physical_name(table),
        table_arn=document.arn(table),
        filters=tuple(patterns.matcher(each["Pattern"]) for each in filters),
        batch_size=found.get("BatchSize", _MAX_BATCH),
        max_retries=retries,
        bisects=found.get("BisectBatchOnFunctionError", False),
        reports_failures="ReportBatchItemFailures" in found.get("FunctionResponseTypes", []),
        dead_letters=_destination(name, document, found.get("DestinationConfig", {})),
    )


def _destination(source: str, document: Document, config: Mapping[str, Any]) -> str:
    """Return the queue for what is given up, a standard one; without one, the source's name."""
    if not config:
        return source
    _only(source, config, {"OnFailure"})
    arn = config["OnFailure"].get("Destination")
    for name in document.resources(QUEUE):
        if arn == document.arn(name) and not document.properties(name).get("FifoQueue"):
            return name
    raise _cannot(source, f"the destination {arn}, which is no standard queue here")


def _queue(user: str, document: Document, arn: Any) -> Queue:
    for name in document.resources(QUEUE):
        properties = document.properties(name)
        if arn == document.arn(name) and properties.get("FifoQueue") is True:
            redrive = document.resolve(properties.get("RedrivePolicy", {}))
            by_content = properties.get("ContentBasedDeduplication") is True
            return Queue(name, document.arn(name), redrive.get("maxReceiveCount"), by_content)
    raise _cannot(user, f"the queue {arn}, which is no FIFO queue here")


def _only(user: str, found: Iterable[str], supported: set[str]) -> None:
    for name in sorted(set(found) - supported):
        raise _cannot(user, name)


def _cannot(user: str, what: str) -> LocalCloudError:
    return LocalCloudError(f"The local cloud cannot play {user}: {what}.")
