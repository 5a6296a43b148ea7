"""Reading a stream: whole, in order, once, whatever becomes of its shards."""

import json
from datetime import UTC, datetime
from typing import Any

from local.streams import Stream, as_json


class TrimmedDataAccessException(Exception):  # noqa: N818 - its name in the API
    """What DynamoDB says of records that it no longer has."""


class Shards:
    """DynamoDB Streams with shards that a test fills, closes and trims."""

    class exceptions:  # noqa: N801 - as botocore's clients have it
        TrimmedDataAccessException = TrimmedDataAccessException

    def __init__(self) -> None:
        self.records: dict[str, list[int]] = {}
        self.parents: dict[str, str] = {}
        self.closed: set[str] = set()
        self.trimmed = 0
        self.looks = 0

    def describe_stream(self, StreamArn: str, ExclusiveStartShardId: str = "") -> dict[str, Any]:  # noqa: N803 - theirs
        assert StreamArn == "arn"
        names = [name for name in sorted(self.records) if name > ExclusiveStartShardId]
        self.looks += 1
        parent = {"ParentShardId": self.parents[names[0]]} if names[0] in self.parents else {}
        found: dict[str, Any] = {"Shards": [{"ShardId": names[0], **parent}]}  # a page of one
        if len(names) > 1:
            found["LastEvaluatedShardId"] = names[0]
        return {"StreamDescription": found}

    def get_shard_iterator(
        self,
        StreamArn: str,  # noqa: N803 - theirs
        ShardId: str,  # noqa: N803 - theirs
        ShardIteratorType: str,  # noqa: N803 - theirs
        SequenceNumber: str = "0",  # noqa: N803 - theirs
    ) -> dict[str, str]:
        assert StreamArn == "arn"
        number = int(SequenceNumber)
        if ShardIteratorType != "TRIM_HORIZON" and number <= self.trimmed:
            raise TrimmedDataAccessException
        after = number - 1 if ShardIteratorType == "AT_SEQUENCE_NUMBER" else number
        return {"ShardIterator": f"{ShardId}:{after}"}

    def get_records(self, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803 - theirs
        shard, _, after = ShardIterator.partition(":")
        found = [n for n in self.records[shard] if n > max(int(after), self.trimmed)][:Limit]
        last = found[-1] if found else int(after)
        page: dict[str, Any] = {
            "Records": [{"dynamodb": {"SequenceNumber": str(number)}} for number in found]
        }
        if shard not in self.closed or last < max(self.records[shard], default=0):
            page["NextShardIterator"] = f"{shard}:{last}"
        return page


class Reader:
    """A stream read by somebody who keeps the places; each Reader on them is a restart."""

    def __init__(self, shards: Shards, places: dict[str, str]) -> None:
        self.places = places
        self._stream = Stream(shards, "arn", places.get)

    @property
    def is_at_end(self) -> bool:
        return self._stream.is_at_end

    def poll(self, *, fails: bool = False) -> list[int]:
        read = []
        for shard, records in self._stream.poll():
            if fails:
                raise OSError
            numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
            if numbers:
                self.places[shard] = numbers[-1]
            read += [int(number) for number in numbers]
        return read


def one_shard(*records: int) -> Shards:
    shards = Shards()
    shards.records["a"] = list(records)
    return shards


def test_a_first_look_reads_everything_and_a_second_what_came_since() -> None:
    shards = one_shard(1, 2, 3)
    reader = Reader(shards, {})
    assert reader.poll() == [1, 2, 3]
    assert reader.poll() == []
    shards.records["a"] += [4]
    assert reader.poll() == [4]


def test_a_look_without_news_is_one_call() -> None:
    shards = one_shard(1)
    reader = Reader(shards, {})
    for _ in range(5):
        reader.poll()
    assert shards.looks == 1


def test_a_restart_reads_on_where_it_was() -> None:
    shards = one_shard(1, 2)
    before = Reader(shards, {})
    before.poll()
    shards.records["a"] += [3]
    assert Reader(shards, before.places).poll() == [3]


def test_what_could_not_be_kept_is_read_again() -> None:
    shards, places = one_shard(1, 2), dict[str, str]()
    try:
        Reader(shards, places).poll(fails=True)
    except OSError:
        assert Reader(shards, places).poll() == [1, 2]


def test_records_are_read_page_by_page() -> None:
    shards = one_shard(*range(1, 251))
    reader = Reader(shards, {})
    assert [len(reader.poll()) for _ in range(4)] == [100, 100, 50, 0]


def test_the_end_is_a_page_that_is_not_full_and_need_not_be_empty() -> None:
    shards = one_shard(*range(1, 251))
    reader, ends = Reader(shards, {}), list[bool]()
    for _ in range(4):
        reader.poll()
        ends.append(reader.is_at_end)
        shards.records["a"] += [shards.records["a"][-1] + 1]  # somebody writes all the time
    assert ends == [False, False, True, True]


def test_the_end_of_one_shard_is_not_that_of_all() -> None:
    shards = one_shard(*range(1, 251))
    shards.records["b"], shards.records["c"], shards.parents["c"] = [300], [301], "b"
    shards.closed = {"b"}
    reader, ends = Reader(shards, {}), list[bool]()
    for _ in range(5):
        reader.poll()
        ends.append(reader.is_at_end)
    assert ends == [False, False, True, True, True]


def test_a_child_is_read_after_its_parent_whatever_their_order() -> None:
    shards = one_shard()
    shards.records = {"a": [3, 4], "b": [1, 2], "c": []}
    shards.parents = {"a": "b", "b": "trimmed away", "c": "a"}
    shards.closed = {"a", "b"}
    reader = Reader(shards, {})
    assert [reader.poll() for _ in range(4)] == [[1, 2], [3, 4], [], []]
    shards.records["c"] += [5]
    assert reader.poll() == [5]


def test_open_shards_are_read_side_by_side() -> None:
    shards = one_shard(1, 3)
    shards.records["b"] = [2]
    assert Reader(shards, {}).poll() == [1, 3, 2]


def test_a_closed_shard_that_was_read_is_passed_after_a_restart() -> None:
    shards = one_shard(1)
    shards.closed = {"a"}
    shards.records["b"], shards.parents["b"] = [2], "a"
    reader = Reader(shards, {"a": "1"})
    assert [reader.poll() for _ in range(2)] == [[], [2]]


def test_data_put_back_from_a_copy_are_read_from_their_beginning() -> None:
    # the place is behind the end: its numbers would be given out again, and those records missed
    assert Reader(one_shard(1, 2), {"a": "9"}).poll() == [1, 2]


def test_after_a_pause_longer_than_the_stream_remembers_the_rest_is_read() -> None:
    shards = one_shard(1, 2, 3, 4)
    shards.trimmed = 3
    assert Reader(shards, {"a": "1"}).poll() == [4]


def test_a_record_is_the_json_that_a_pipe_delivers() -> None:
    record = {
        "eventID": "1",
        "awsRegion": "elsewhere",
        "dynamodb": {
            "ApproximateCreationDateTime": datetime(2026, 11, 20, 12, tzinfo=UTC),
            "NewImage": {"b": {"B": b"\xff\x00"}, "s": {"BS": [b"a"]}, "t": {"S": "é"}},
        },
    }
    text = as_json(record, "arn:aws:dynamodb:eu-west-1:1:table/t", "2026.1")
    assert json.loads(text) == {
        "eventID": "1",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/t/stream/2026.1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795176000,
            "NewImage": {"b": {"B": "/wA="}, "s": {"BS": ["YQ=="]}, "t": {"S": "é"}},
        },
    }
