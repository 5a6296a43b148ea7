"""A pipe between the embedded DynamoDB and a queue."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from local import dynamodb, follower, messaging, patterns
from local.console import LocalCloudError
from local.consumer import StreamConsumer
from local.functions import RunningFunction
from local.pipe import RunningPipe
from local.queues import Message, Queues
from local.sources import Pipe, Queue, StreamSource
from local.template import Function, Table

TABLE = Table(
    {
        "TableName": "customers",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    },
    None,
)
PIPE = Pipe(
    name="JobsPipe",
    table="customers",
    table_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/customers",
    queue=Queue("Jobs", "arn:aws:sqs:eu-west-1:123456789012:Jobs.fifo", 3),
    filters=(patterns.matcher('{"dynamodb": {"NewImage": {"state": {"S": ["queued"]}}}}'),),
    group=patterns.reader("$.dynamodb.Keys.PK.S"),
    deduplication=patterns.reader("$.eventID"),
)


class Desk:
    """A table to write to, and the queue that its pipe fills."""

    def __init__(self, aws: Mapping[str, str], folder: Path) -> None:
        self.aws = aws
        self.queues = Queues(folder / "queues.db")
        session = botocore.session.get_session()
        self._client: Any = session.create_client(
            "dynamodb",
            region_name="eu-west-1",
            endpoint_url=aws["AWS_ENDPOINT_URL_DYNAMODB"],
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def put(self, key: str, state: str) -> None:
        item = {"PK": {"S": key}, "state": {"S": state}, "hash": {"B": b"\x00"}}
        self._client.put_item(TableName="customers", Item=item)

    @contextlib.contextmanager
    def piped(self, pipe: Pipe = PIPE, data: Path | None = None) -> Iterator[RunningPipe]:
        """Run the pipe for the length of a with block."""
        running = RunningPipe(pipe, self.aws, self.queues, data)
        running.start()
        try:
            yield running
        finally:
            running.stop()
            running.join()

    def receive(self) -> Message:
        timer = threading.Timer(10, self.queues.stop)  # a test must not wait for ever
        timer.start()
        message = self.queues.receive("Jobs")
        timer.cancel()
        assert message is not None
        self.queues.delete(message)
        return message

    def received(self, count: int) -> list[str]:
        return [self.receive().group for _ in range(count)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with dynamodb.embedded(tmp_path / "dynamodb.log") as endpoint:
        aws = dynamodb.credentials(endpoint, {"AWS_REGION": "eu-west-1"})
        dynamodb.ensure(TABLE, aws)
        made = Desk(aws, tmp_path)
        with contextlib.closing(made.queues):
            yield made


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_was_written_before_the_first_start_comes_first(desk: Desk) -> None:
    desk.put("a", "queued")
    with desk.piped():
        desk.put("b", "queued")
        assert desk.received(2) == ["a", "b"]


def test_every_write_as_queued_is_a_message_and_no_other_write(desk: Desk) -> None:
    for key, state in [("a", "queued"), ("b", "done"), ("a", "running"), ("a", "queued")]:
        desk.put(key, state)
    desk.put("last", "queued")
    with desk.piped():
        assert desk.received(3) == ["a", "a", "last"]


def test_a_message_is_the_record_as_a_pipe_delivers_it(desk: Desk) -> None:
    desk.put("a", "queued")
    with desk.piped():
        message = desk.receive()
    record: dict[str, Any] = json.loads(message.body)
    assert (message.group, message.deduplication) == ("a", record["eventID"])
    assert record["eventName"] == "INSERT"
    assert record["eventSource"] == "aws:dynamodb"
    assert record["awsRegion"] == "eu-west-1"
    assert record["eventSourceARN"].startswith(f"{PIPE.table_arn}/stream/")
    change = record["dynamodb"]
    assert change["Keys"] == {"PK": {"S": "a"}}
    assert change["NewImage"] == {"PK": {"S": "a"}, "state": {"S": "queued"}, "hash": {"B": "AA=="}}
    assert change["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert time.time() - change["ApproximateCreationDateTime"] < 60


def test_a_restart_queues_nothing_twice_and_forgets_nothing(desk: Desk) -> None:
    for key in ("a", "b", "c"):
        desk.put(key, "queued")
    with desk.piped():
        assert desk.received(3) == ["a", "b", "c"]
        desk.put("d", "done")
    desk.put("e", "queued")
    with desk.piped():
        assert desk.received(1) == ["e"]


def test_more_than_a_page_arrives_whole(desk: Desk) -> None:
    keys = [f"{number:03}" for number in range(230)]
    for key in keys:
        desk.put(key, "queued")
    with desk.piped():
        assert desk.received(230) == keys


def test_a_pipe_that_has_caught_up_has_queued_all_that_was_written(desk: Desk) -> None:
    keys = [f"{number:03}" for number in range(230)]
    with desk.piped() as pipe:
        for key in keys:
            desk.put(key, "queued")
        pipe.catch_up()
    assert desk.received(230) == keys


@pytest.fixture
def rare_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So long between two looks that nobody waits for the next."""
    monkeypatch.setattr(follower, "POLL_SECONDS", 60.0)


@pytest.mark.usefixtures("rare_looks")
def test_catching_up_does_not_wait_for_the_next_look(desk: Desk) -> None:
    with desk.piped() as pipe:
        started = time.monotonic()
        pipe.catch_up()
        pipe.catch_up()
    assert time.monotonic() - started < follower.POLL_SECONDS / 2


def test_all_is_settled_once_what_follows_from_what_follows_is_done(desk: Desk) -> None:
    following = {"a": "b", "b": "c"}

    def handle() -> None:
        while (message := desk.queues.receive("Jobs")) is not None:
            time.sleep(0.05)
            if message.group in following:
                desk.put(following[message.group], "queued")
            desk.queues.delete(message)

    handler = threading.Thread(target=handle)
    with desk.piped() as pipe:
        handler.start()
        desk.put("a", "queued")
        settled = messaging.settle(desk.queues, [pipe])
        desk.queues.stop()
        handler.join()
    assert settled == 3


def test_all_is_settled_once_a_function_has_seen_what_it_wrote_itself(
    desk: Desk, tmp_path: Path
) -> None:
    seen = list[str]()

    class Writing(RunningFunction):
        def invoke(self, event: Any) -> str:
            for record in event["Records"]:
                key = record["dynamodb"]["Keys"]["PK"]["S"]
                seen.append(key)
                if len(key) < 4:
                    desk.put(f"{key}+", "done")
            return "{}"

    source = StreamSource(
        name="F.S",
        function="F",
        table="customers",
        table_arn=PIPE.table_arn,
        filters=(),
        batch_size=100,
        max_retries=0,
        bisects=False,
        reports_failures=True,
        dead_letters="F.S",
    )
    function = Writing(Function("F", "", "", tmp_path, (), 1, 128, {}), {"AWS_REGION": "r"})
    consumer = StreamConsumer(source, function, desk.aws, desk.queues, tmp_path)
    consumer.start()
    desk.put("a", "done")
    messaging.settle(desk.queues, [consumer])
    assert seen == ["a", "a+", "a++", "a+++"]
    consumer.stop()
    consumer.join()


@pytest.mark.usefixtures("rare_looks")
def test_a_change_of_the_engines_file_is_noticed_before_the_next_look(tmp_path: Path) -> None:
    data = tmp_path / "dynamo.db"
    with dynamodb.embedded(tmp_path / "dynamodb.log", data) as endpoint:
        aws = dynamodb.credentials(endpoint, {"AWS_REGION": "eu-west-1"})
        dynamodb.ensure(TABLE, aws)
        desk = Desk(aws, tmp_path)
        with contextlib.closing(desk.queues), desk.piped(data=data) as pipe:
            for number in range(20):
                desk.put(str(number), "queued")
                assert desk.received(1) == [str(number)], "long before the next look"
            desk.put("last", "queued")
            pipe.catch_up()
            assert desk.received(1) == ["last"]


def test_nobody_waits_for_a_stream_that_cannot_be_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_table: str, _aws: Mapping[str, str]) -> tuple[Any, str]:
        raise LocalCloudError("The table customers has no stream.")

    monkeypatch.setattr(follower, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(dynamodb, "stream", none)
    with (
        desk.piped() as pipe,
        pytest.raises(LocalCloudError, match="JobsPipe cannot read the stream of customers"),
    ):
        pipe.catch_up()


def test_a_stream_that_cannot_be_read_is_said_once_and_read_when_it_can(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = 0

    def none(_table: str, _aws: Mapping[str, str]) -> tuple[Any, str]:
        nonlocal looks
        looks += 1
        raise LocalCloudError("The table customers has no stream.")

    monkeypatch.setattr(follower, "_PAUSE_SECONDS", 0.01)
    desk.put("a", "queued")
    with monkeypatch.context() as patched:
        patched.setattr(dynamodb, "stream", none)
        with desk.piped():
            wait_until(lambda: looks > 3)
            patched.undo()
            assert desk.received(1) == ["a"]
    output = capsys.readouterr()
    assert output.err == (
        "JobsPipe cannot read the stream of customers, so nothing reaches Jobs and what it starts "
        "does not run: The table customers has no stream.\n"
    )
    assert output.out == "JobsPipe reads the stream of customers again.\n"


def test_a_table_without_a_stream_is_such_a_case(desk: Desk) -> None:
    definition = {**TABLE.definition, "TableName": "streamless"}
    del definition["StreamSpecification"]
    dynamodb.ensure(Table(definition, None), desk.aws)
    with pytest.raises(LocalCloudError, match="streamless has no stream"):
        dynamodb.stream("streamless", desk.aws)
