"""A table's stream: every shard read from where it was left, a parent before its children."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

_PAGE = 100  # records, each with two images of up to 64 KB


class Stream:
    """One stream, read on from where *place* says each shard was left: all of it if nowhere."""

    def __init__(self, client: Any, arn: str, place: Callable[[str], str | None]) -> None:
        self._client = client
        self._arn = arn
        self._place = place
        self._iterators: dict[str, str] = {}  # of the open shards
        self._finished: set[str] = set()
        self.is_at_end = False

    def poll(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Yield each open shard's id and its next records, which count as read after the yield.

        *is_at_end* then says whether that was all there was.
        """
        self.is_at_end = False
        is_short = True
        if not self._iterators:
            # A look at the shards costs the embedded engine a look at all records: not each time.
            self._iterators = {shard: self._iterator(shard) for shard in self._open_shards()}
        for shard, iterator in list(self._iterators.items()):
            page = self._client.get_records(ShardIterator=iterator, Limit=_PAGE)
            yield shard, page["Records"]
            # Who waits for an empty page waits for ever where others write. The embedded engine
            # cuts a page nowhere but at its limit.
            is_short = is_short and len(page["Records"]) < _PAGE
            following = page.get("NextShardIterator")
            if following is None:
                self._finished.add(shard)
                self._iterators.clear()  # its children are next
                return
            self._iterators[shard] = following
        self.is_at_end = is_short

    def _open_shards(self) -> Iterator[str]:
        shards = {shard["ShardId"]: shard.get("ParentShardId") for shard in self._shards()}
        for shard, parent in shards.items():
            if shard not in self._finished and (parent not in shards or parent in self._finished):
                yield shard

    def _shards(self) -> Iterator[dict[str, Any]]:
        start: dict[str, str] = {}
        while True:
            found = self._client.describe_stream(StreamArn=self._arn, **start)["StreamDescription"]
            yield from found["Shards"]
            if "LastEvaluatedShardId" not in found:
                return
            start = {"ExclusiveStartShardId": found["LastEvaluatedShardId"]}

    def _iterator(self, shard: str) -> str:
        read = self._place(shard)
        if read is not None and self._has(shard, read):
            return self._at(shard, "AFTER_SEQUENCE_NUMBER", SequenceNumber=read)
        # Not read yet, or other data than those that were, say of a copy put back: read them all.
        return self._at(shard, "TRIM_HORIZON")

    def _has(self, shard: str, sequence_number: str) -> bool:
        try:
            iterator = self._at(shard, "AT_SEQUENCE_NUMBER", SequenceNumber=sequence_number)
            records = self._client.get_records(ShardIterator=iterator, Limit=1)["Records"]
        except self._client.exceptions.TrimmedDataAccessException:
            return False
        return [record["dynamodb"]["SequenceNumber"] for record in records] == [sequence_number]

    def _at(self, shard: str, kind: str, **options: str) -> str:
        found: str = self._client.get_shard_iterator(
            StreamArn=self._arn, ShardId=shard, ShardIteratorType=kind, **options
        )["ShardIterator"]
        return found


def as_json(record: dict[str, Any], table_arn: str, label: str) -> str:
    """Return a stream's *record* as the JSON text in which it is delivered."""
    source = {
        "awsRegion": table_arn.split(":")[3],
        "eventSourceARN": f"{table_arn}/stream/{label}",
    }
    return json.dumps(record | source, default=_plain, ensure_ascii=False)


def _plain(value: datetime | bytes) -> int | str:
    if isinstance(value, datetime):
        return int(value.timestamp())
    return base64.b64encode(value).decode()
