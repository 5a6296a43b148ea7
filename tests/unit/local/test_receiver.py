"""A queue's messages at a function: the event, the order, the second try and the last."""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local.functions import FunctionError, RunningFunction
from local.queues import Message, Place, Queues
from local.receiver import Receiver, refusal, to_event
from local.sources import EventSource, Queue
from local.template import Function

QUEUE = Queue("Jobs", "arn:aws:sqs:eu-west-1:123456789012:Jobs.fifo", 3)
HANDLED = "{}"


class Scripted(RunningFunction):
    """A function that answers what a test says, and remembers the messages it was given."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        code = Path()
        super().__init__(
            Function("JobsFunction", "", "", code, (), 1, 128, {}), {"AWS_REGION": "eu-west-1"}
        )
        self.given: list[str] = []
        self._answer = answer

    def invoke(self, event: Any) -> str:
        [record] = event["Records"]
        self.given.append(record["body"])
        return self._answer(record["body"])


class Line:
    """One queue and what receives from it."""

    def __init__(self, folder: Path) -> None:
        self.dead_letters = folder / "dead-letters"
        self.queues = Queues(folder / "queues.db")
        self._receiver: Receiver | None = None

    def send(self, *messages: str) -> None:
        """Send messages whose first letter is their group."""
        sent = [(body[0], body, body) for body in messages]
        self.queues.send("Jobs", sent, Place("", "", ""), "1")

    def serve(self, answer: Callable[[str], str], source: EventSource | None = None) -> Scripted:
        scripted = Scripted(answer)
        source = source or EventSource(QUEUE, "JobsFunction", 4, reports_failures=True)
        self._receiver = Receiver(source, scripted, self.queues, self.dead_letters, 0.01)
        self._receiver.start()
        return scripted

    def left(self) -> int:
        """Return how many messages are not done."""
        count: int = self.queues._database.execute("SELECT COUNT(*) FROM messages").fetchone()[0]  # noqa: SLF001 - nothing but a test counts
        return count

    def close(self) -> None:
        self.queues.stop()
        if self._receiver is not None:
            self._receiver.join()
        self.queues.close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with contextlib.closing(Line(tmp_path)) as made:
        yield made


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def fail(body: str) -> str:
    raise FunctionError("ValueError", f"no {body}")


def test_an_event_is_what_lambda_makes_of_an_sqs_message() -> None:
    message = Message(41, "Jobs", "T#a#JOBS", "event-7", '{"é": 1}', "m-1", 1700000000.5, 1)
    [record] = to_event(message, QUEUE.arn)["Records"]
    attributes = record["attributes"]
    assert record.pop("receiptHandle")
    assert int(attributes.pop("ApproximateFirstReceiveTimestamp")) > 1700000000000
    assert record == {
        "messageId": "m-1",
        "body": '{"é": 1}',
        "attributes": {
            "ApproximateReceiveCount": "2",
            "SentTimestamp": "1700000000500",
            "SequenceNumber": "00000000000000000041",
            "MessageGroupId": "T#a#JOBS",
            "SenderId": "local",
            "MessageDeduplicationId": "event-7",
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5('{"é": 1}'.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE.arn,
        "awsRegion": "eu-west-1",
    }


def test_a_group_is_handled_in_order_and_one_at_a_time(line: Line) -> None:
    under_way: set[str] = set()

    def answer(body: str) -> str:
        assert body[0] not in under_way
        under_way.add(body[0])
        time.sleep(0.005)
        under_way.remove(body[0])
        return HANDLED

    scripted = line.serve(answer)
    line.send("a1", "b1", "a2", "b2", "a3", "b3")
    wait_until(lambda: line.left() == 0)
    assert [body for body in scripted.given if body[0] == "a"] == ["a1", "a2", "a3"]
    assert [body for body in scripted.given if body[0] == "b"] == ["b1", "b2", "b3"]


def test_groups_are_handled_side_by_side(line: Line) -> None:
    both = threading.Barrier(2, timeout=5)

    def answer(_body: str) -> str:
        both.wait()  # passes only while the other group is being handled too
        return HANDLED

    line.serve(answer)
    line.send("a1", "b1")
    wait_until(lambda: line.left() == 0)


def test_a_message_is_tried_again_until_it_is_handled(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted = line.serve(lambda body: fail(body) if len(scripted.given) < 3 else HANDLED)
    line.send("a1", "a2")
    wait_until(lambda: line.left() == 0)
    assert scripted.given == ["a1", "a1", "a1", "a2"]
    assert not line.dead_letters.exists()
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("JobsFunction: ValueError: no a1 (log: None); attempt 1 of 3, the next")
    assert "attempt 2 of 3" in second


def test_a_reported_failure_counts_as_one(line: Line) -> None:
    def answer(_body: str) -> str:
        failures = [{"itemIdentifier": "x"}] if len(scripted.given) == 1 else []
        return json.dumps({"batchItemFailures": failures})

    scripted = line.serve(answer)
    line.send("a1")
    wait_until(lambda: line.left() == 0)
    assert scripted.given == ["a1", "a1"]


def test_where_failures_are_not_reported_any_answer_will_do(line: Line) -> None:
    source = EventSource(QUEUE, "JobsFunction", None, reports_failures=False)
    scripted = line.serve(lambda _body: '{"batchItemFailures": [{}]}', source)
    line.send("a1")
    wait_until(lambda: line.left() == 0)
    assert scripted.given == ["a1"]


def test_a_message_that_nobody_can_handle_becomes_a_file_and_makes_way(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted = line.serve(lambda body: fail(body) if body == "a1" else HANDLED)
    line.send("a1", "a2")
    wait_until(lambda: line.left() == 0)
    assert scripted.given == ["a1", "a1", "a1", "a2"]
    [file] = line.dead_letters.iterdir()
    [record] = json.loads(file.read_text())["Records"]
    assert (record["body"], record["attributes"]["ApproximateReceiveCount"]) == ("a1", "3")
    assert file.name == f"Jobs-{record['messageId']}.json"
    assert f"given up after 3 attempts: the message is now {file}" in capsys.readouterr().err


def test_a_queue_without_dead_letters_never_gives_up(line: Line) -> None:
    source = EventSource(Queue("Jobs", QUEUE.arn, None), "JobsFunction", 4, reports_failures=True)
    scripted = line.serve(lambda body: fail(body) if len(scripted.given) < 6 else HANDLED, source)
    line.send("a1")
    wait_until(lambda: line.left() == 0)
    assert len(scripted.given) == 6


def test_what_the_stop_interrupts_is_neither_lost_nor_counted(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(body: str) -> str:
        line.queues.stop()
        scripted.stop()
        return fail(body)

    scripted = line.serve(answer)
    line.send("a1")
    wait_until(lambda: scripted.stopped)
    line.close()
    again = Queues(line.dead_letters.parent / "queues.db")
    message = again.receive("Jobs")
    again.close()
    assert message is not None
    assert (message.body, message.failures) == ("a1", 0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("answer", ["null", "{}", '{"batchItemFailures": []}', '{"other": 1}'])
def test_an_answer_without_failures_is_a_success(answer: str) -> None:
    assert refusal(answer) is None


@pytest.mark.parametrize(
    "answer",
    [
        '{"batchItemFailures": [{"itemIdentifier": "m-1"}]}',
        '{"batchItemFailures": [{"itemIdentifier": ""}]}',
        '{"batchItemFailures": [{}]}',
        '"done"',
        "[]",
        "not JSON",
    ],
)
def test_any_other_answer_is_a_failure(answer: str) -> None:
    assert refusal(answer) == f"it answered {answer}"
