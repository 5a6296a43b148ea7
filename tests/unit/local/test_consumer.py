"""A stream's records at a function: order, batches, halves, retries, and what is given up."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from local import patterns
from local.consumer import StreamConsumer, done_of
from local.functions import MAX_PAYLOAD, EventTooLargeError, FunctionError, RunningFunction
from local.queues import Place, Queues
from local.sources import StreamSource
from local.template import Function

PLACE = Place("ReactionsFunction.Stream", "arn:stream/2026.1", "shard-1")
SOURCE = StreamSource(
    name="ReactionsFunction.Stream",
    function="ReactionsFunction",
    table="customers",
    table_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/customers",
    filters=(),
    batch_size=100,
    max_retries=2,
    bisects=True,
    reports_failures=True,
    dead_letters="ReactionsDeadLetters",
)
DONE = '{"batchItemFailures": []}'


class Scripted(RunningFunction):
    """A function that answers what a test says of the numbers that it is given."""

    def __init__(self, answer: Callable[[list[int]], str]) -> None:
        function = Function("ReactionsFunction", "", "", Path(), (), 1, 128, {})
        super().__init__(function, {"AWS_REGION": "eu-west-1"})
        self.events: list[dict[str, Any]] = []
        self.given: list[list[int]] = []
        self._answer = answer

    def invoke(self, event: Any) -> str:
        self.events.append(event)
        numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in event["Records"]]
        self.given.append(numbers)
        return self._answer(numbers)


class Shard:
    """One shard, and who has its records handled."""

    def __init__(self, folder: Path) -> None:
        self.queues = Queues(folder / "queues.db")
        self.dead_letters = folder / "dead-letters"

    def deliver(
        self, answer: Callable[[list[int]], str], *numbers: int, **options: Any
    ) -> Scripted:
        function = Scripted(answer)
        consumer = StreamConsumer(
            replace(SOURCE, **options),
            function,
            {},
            self.queues,
            self.dead_letters,
            first_pause=0.001,
        )
        consumer.deliver(PLACE, [record(number) for number in numbers])
        assert consumer.handled == len(function.given)
        return function

    @property
    def place(self) -> str | None:
        return self.queues.place(PLACE)

    @property
    def buried(self) -> list[list[int]]:
        events = [json.loads(file.read_text()) for file in sorted(self.dead_letters.iterdir())]
        return [[int(r["dynamodb"]["SequenceNumber"]) for r in e["Records"]] for e in events]


def record(number: int, **image: Any) -> dict[str, Any]:
    return {
        "eventID": str(number),
        "dynamodb": {"SequenceNumber": str(number), "NewImage": image or {"n": {"N": "1"}}},
    }


def fail(_numbers: list[int]) -> str:
    raise FunctionError("ValueError", "no such thing")


def poisoned_by(*poison: int) -> Callable[[list[int]], str]:
    """Return what fails whole batches that hold one of *poison*."""
    return lambda numbers: fail(numbers) if set(poison) & set(numbers) else DONE


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    made = Shard(tmp_path)
    with contextlib.closing(made.queues):
        yield made


def test_records_come_in_order_in_batches_of_at_most_the_size(shard: Shard) -> None:
    function = shard.deliver(lambda _: DONE, *range(1, 6), batch_size=2)
    assert function.given == [[1, 2], [3, 4], [5]]
    assert shard.place == "5"


def test_a_batch_fits_what_lambda_takes(shard: Shard) -> None:
    images = [record(n, text={"S": "é" * 900_000}) for n in range(1, 6)]
    function = Scripted(lambda _: DONE)
    StreamConsumer(SOURCE, function, {}, shard.queues, shard.dead_letters).deliver(PLACE, images)
    assert function.given == [[1, 2, 3], [4, 5]]
    assert len(json.dumps(function.events[0], ensure_ascii=False).encode()) <= MAX_PAYLOAD


def test_what_no_filter_lets_through_is_passed_over_and_counts_as_read(shard: Shard) -> None:
    pattern = '{"dynamodb": {"SequenceNumber": ["2", {"prefix": "3"}]}}'
    function = shard.deliver(lambda _: DONE, 1, 2, 3, 4, filters=(patterns.matcher(pattern),))
    assert function.given == [[2, 3]]
    assert shard.place == "4"
    assert shard.deliver(lambda _: DONE, 5, filters=(patterns.matcher(pattern),)).given == []
    assert shard.place == "5"


def test_halves_isolate_one_poisoned_record_and_the_others_are_done_in_order(
    shard: Shard, capsys: pytest.CaptureFixture[str]
) -> None:
    function = shard.deliver(poisoned_by(6), *range(1, 9))
    done = [numbers for numbers in function.given if 6 not in numbers]
    assert [number for numbers in done for number in numbers] == [1, 2, 3, 4, 5, 7, 8]
    assert function.given.count([6]) == 3, "the first attempt, and two more"
    assert shard.buried == [[6]]
    assert shard.place == "8"
    said = capsys.readouterr().err
    assert "its 8 records are given to it again in two halves" in said
    assert "given up after 3 attempts: the records are now" in said


def test_what_is_given_up_is_an_event_named_after_the_queue_that_aws_would_use(
    shard: Shard,
) -> None:
    function = shard.deliver(fail, 7)
    [file] = shard.dead_letters.iterdir()
    assert file.name == "ReactionsDeadLetters-7.json"
    assert json.loads(file.read_text()) == function.events[0]


def test_without_halves_the_whole_batch_is_tried_again_and_given_up(shard: Shard) -> None:
    function = shard.deliver(poisoned_by(2), 1, 2, 3, bisects=False)
    assert function.given == [[1, 2, 3]] * 3
    assert shard.buried == [[1, 2, 3]]
    assert shard.place == "3"


def test_no_retries_are_none(shard: Shard) -> None:
    assert shard.deliver(fail, 1, max_retries=0).given == [[1]]
    assert shard.buried == [[1]]


def test_an_attempt_that_succeeds_later_is_done(shard: Shard) -> None:
    faults = ["no such thing", "nor now"]

    def answer(numbers: list[int]) -> str:
        return fail(numbers) if faults and faults.pop() else DONE

    assert shard.deliver(answer, 1).given == [[1]] * 3
    assert not shard.dead_letters.exists()


def test_a_partial_failure_goes_on_from_the_first_that_failed(shard: Shard) -> None:
    answers = ['{"batchItemFailures": [{"itemIdentifier": "4"}, {"itemIdentifier": "3"}]}', DONE]
    places = list[str | None]()

    def answer(_numbers: list[int]) -> str:
        places.append(shard.place)
        return answers.pop(0)

    function = shard.deliver(answer, 1, 2, 3, 4, 5)
    assert function.given == [[1, 2, 3, 4, 5], [3, 4, 5]]
    assert places == [None, "2"], "what is done is not done again after a restart"
    assert shard.place == "5"


def test_a_reported_poisoned_record_stops_no_other(shard: Shard) -> None:
    def answer(numbers: list[int]) -> str:
        failed = [{"itemIdentifier": "3"}] if 3 in numbers else []
        return json.dumps({"batchItemFailures": failed})

    function = shard.deliver(answer, *range(1, 6))
    assert shard.buried == [[3]]
    assert function.given[-1] == [4, 5]


def test_where_failures_are_not_reported_any_answer_will_do(shard: Shard) -> None:
    failed = '{"batchItemFailures": [{"itemIdentifier": "1"}]}'
    assert shard.deliver(lambda _: failed, 1, reports_failures=False).given == [[1]]


def test_a_batch_that_is_too_large_after_all_is_halved(shard: Shard) -> None:
    def answer(numbers: list[int]) -> str:
        if len(numbers) > 1:
            raise EventTooLargeError
        return DONE

    assert shard.deliver(answer, 1, 2).given == [[1, 2], [1], [2]]


def test_what_the_stop_interrupts_is_neither_done_nor_given_up(
    shard: Shard, capsys: pytest.CaptureFixture[str]
) -> None:
    functions = list[Scripted]()

    def answer(numbers: list[int]) -> str:
        if 3 not in numbers:
            return DONE
        functions[0].stop()
        return fail(numbers)

    function = Scripted(answer)
    functions.append(function)
    consumer = StreamConsumer(
        replace(SOURCE, batch_size=2), function, {}, shard.queues, shard.dead_letters
    )
    consumer.deliver(PLACE, [record(number) for number in range(1, 7)])
    assert function.given == [[1, 2], [3, 4]]
    assert shard.place == "2"
    assert not shard.dead_letters.exists()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ("null", 3),
        ("{}", 3),
        (DONE, 3),
        ('{"batchItemFailures": [{"itemIdentifier": "8"}]}', 1),
        ('{"batchItemFailures": [{"itemIdentifier": "7"}, {"itemIdentifier": "9"}]}', 0),
        ('{"batchItemFailures": [{"itemIdentifier": "8"}, {"itemIdentifier": "1"}]}', 0),
        ('{"batchItemFailures": [{"itemIdentifier": ""}]}', 0),
        ('{"batchItemFailures": [{}]}', 0),
        ('{"batchItemFailures": ["8"]}', 0),
        ('"done"', 0),
        ("[]", 0),
        ("not JSON", 0),
    ],
)
def test_an_answer_says_how_many_from_the_first_are_done(answer: str, done: int) -> None:
    assert done_of([record(number) for number in (7, 8, 9)], answer) == done
