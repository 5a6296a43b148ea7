"""The one table: its items, its index, and the few calls that all storage makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, cast

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - its name there
    HTTPClientError,
)
from botocore.parsers import JSONParser, ResponseParserFactory
from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model
from pynamodb.pagination import PageIterator

from vitals.storage import words
from vitals.storage.ports import StorageBusyError, WriteConflictError

INDEX = "by_time"

_BUSY = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_BUSY_REASONS = frozenset(
    {"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
)


class ByTime(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call] # pynamodb's own hook
    """Customers by updated_at, changes by id, API keys by creation: whatever is read by time."""

    class Meta:
        """How the index is made."""

        index_name = INDEX
        projection = IncludeProjection(["row"])

    index_pk = UnicodeAttribute(hash_key=True)
    index_sk = UnicodeAttribute(range_key=True)


class Item(Model):
    """Any item of the table: keys, and two JSON texts.

    *row* is what the index projects, *doc* the rest; no fact is in both. JSON text, not a map: one
    attribute is decoded at the speed of json, forty are not (docs/decisions/0003).
    """

    class Meta:
        """Which table, and how it is reached; a `Table` names it."""

        table_name = "customer-vitals"
        # A call that never succeeds must fail while there is time to say so: after 7 s at most.
        connect_timeout_seconds = 2
        read_timeout_seconds = 3
        max_retry_attempts = 1

    PK = UnicodeAttribute(hash_key=True)
    SK = UnicodeAttribute(range_key=True)
    index_pk = UnicodeAttribute(null=True)
    index_sk = UnicodeAttribute(null=True)
    row = UnicodeAttribute(null=True)
    doc = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    cents = NumberAttribute(null=True)
    reads = NumberAttribute(null=True)
    writes = NumberAttribute(null=True)
    records = NumberAttribute(null=True)
    events = NumberAttribute(null=True)
    batches = NumberAttribute(null=True)
    imports = NumberAttribute(null=True)
    state = UnicodeAttribute(null=True)
    queue = UnicodeAttribute(null=True)
    expires_at = TTLAttribute(null=True)
    by_time = ByTime()


class Found(NamedTuple):
    """What a query gives of an item: pages are long, and a dataclass or an `Item` costs more."""

    PK: str
    SK: str
    index_sk: str | None
    row: str | None
    doc: str | None
    cents: str | None


_NO_TEXT, _NO_NUMBER = {"S": None}, {"N": None}


class Writes:
    """The writes of one transaction; each is labelled with what its condition guards."""

    def __init__(self) -> None:
        self.checks: list[tuple[str, Item, Condition]] = []
        self.deletes: list[tuple[str, Item, Condition | None]] = []
        self.puts: list[tuple[str, Item, Condition | None]] = []
        self.adds: list[tuple[Item, str, int]] = []

    def check(self, label: str, item: Item, condition: Condition) -> None:
        """Want *condition* to hold of *item*, which is not written."""
        self.checks.append((label, item, condition))

    def put(self, label: str, item: Item, condition: Condition | None) -> None:
        """Write *item* if *condition* holds."""
        self.puts.append((label, item, condition))

    def delete(self, label: str, item: Item, condition: Condition | None) -> None:
        """Delete *item* if *condition* holds."""
        self.deletes.append((label, item, condition))

    def add(self, item: Item, attribute: str, amount: int) -> None:
        """Add *amount* to a number of *item*, which need not exist."""
        self.adds.append((item, attribute, amount))

    @property
    def labels(self) -> list[str]:
        """Return the labels in the order in which the request carries the writes."""
        guarded = [label for label, _, _ in (*self.checks, *self.deletes, *self.puts)]
        return guarded + ["counter"] * len(self.adds)


class _ItemsAsSent(JSONParser):
    """Botocore's reader of answers, but that it copies no attribute, value by value, of an item.

    What it would make of them is what DynamoDB sent, as none of ours is binary.
    """

    def _handle_map(self, shape: Any, value: Any) -> Any:
        if shape.value.name == "AttributeValue":
            return value
        return super()._handle_map(shape, value)  # type: ignore[misc] # its type hints lack it


class _Parsers(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> Any:
        """Return a new reader of answers; STS, which may be asked for credentials, has its own."""
        return _ItemsAsSent() if protocol_name == "json" else super().create_parser(protocol_name)


class Table:
    """The table called *name*, reached through pynamodb's own client.

    What every request does to single items is put into botocore's words here: pynamodb takes long
    to find them (docs/performance.md).
    """

    def __init__(self, name: str) -> None:
        meta = type("Meta", (Item.Meta,), {"table_name": name})
        self.item = cast("type[Item]", type("Item", (Item,), {"Meta": meta}))
        session = self.connection.session
        # An item's attributes are most of what botocore's own reader is busy with.
        session.register_component("response_parser_factory", _Parsers())
        # Else botocore puts its User-Agent together anew, twice a call: a seventh of its time.
        session.set_default_client_config(Config(user_agent=session.user_agent()))

    @property
    def connection(self) -> Connection:
        """Return the connection that every call goes through."""
        # pynamodb gives no public way to the connection that its own TransactWrite asks for.
        return self.item._get_connection().connection  # noqa: SLF001 - see above

    def get(self, key: tuple[str, str], *, consistent: bool = True) -> Item | None:
        """Return the item under *key*."""
        answer = self._asked("get_item", Key=words.key(*key), ConsistentRead=consistent)
        raw = answer.get("Item")
        return self.item.from_raw_data(raw) if raw else None

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item]:
        """Return those of *keys* that exist, in no order, as last written."""
        with _translated():
            return list(self.item.batch_get(keys, consistent_read=True)) if keys else []

    def query(
        self,
        partition: str,
        condition: Condition | None = None,
        *,
        index: str | None = None,
        descending: bool = False,
        page: int | None = None,
        consistent: bool = False,
    ) -> Iterator[Found]:
        """Yield the items of *partition*, reading pages of at most *page* as they are asked for."""
        pages: PageIterator[dict[str, Any]] = PageIterator(
            self.connection.query,
            (self.item.Meta.table_name, partition),
            {
                "range_key_condition": condition,
                "index_name": index,
                "scan_index_forward": not descending,
                # The embedded engine wants a limit; one page is at most 1 MB whatever it says.
                "limit": page or 5000,
                "consistent_read": consistent,
            },
        )
        while True:
            with _translated():
                read = next(pages, None)
            if read is None:
                return
            for raw in read["Items"]:
                yield Found(
                    raw["PK"]["S"],
                    raw["SK"]["S"],
                    raw.get("index_sk", _NO_TEXT)["S"],
                    raw.get("row", _NO_TEXT)["S"],
                    raw.get("doc", _NO_TEXT)["S"],
                    raw.get("cents", _NO_NUMBER)["N"],
                )

    def transact(self, writes: Writes) -> None:
        """Make all of *writes* or none.

        Raises WriteConflictError with the labels of the conditions that failed, StorageBusyError.
        """
        try:
            with _translated():
                self.connection.transact_write_items(
                    condition_check_items=[
                        {**self._name, **words.check(item, condition)}
                        for _, item, condition in writes.checks
                    ],
                    delete_items=[
                        {**self._name, **words.delete(item, condition)}
                        for _, item, condition in writes.deletes
                    ],
                    put_items=[
                        {**self._name, **words.put(item, condition)}
                        for _, item, condition in writes.puts
                    ],
                    update_items=[
                        {**self._name, **words.add(item, {attribute: amount})}
                        for item, attribute, amount in writes.adds
                    ],
                )
        except TransactWriteError as error:
            codes = [reason.code if reason else None for reason in error.cancellation_reasons]
            failed = {
                label
                for label, code in zip(writes.labels, codes, strict=False)
                if code == "ConditionalCheckFailed"
            }
            if failed:
                raise WriteConflictError(frozenset(failed)) from error
            if _BUSY_REASONS.intersection(code for code in codes if code):
                raise StorageBusyError from error
            raise

    def put(self, item: Item, condition: Condition | None = None) -> None:
        """Write one item by itself. Raises WriteConflictError on `version`."""
        try:
            self._asked("put_item", **words.put(item, condition))
        except ClientError as error:
            if _code(error) == "ConditionalCheckFailedException":
                raise WriteConflictError(frozenset({"version"})) from error
            raise

    def delete_many(self, keys: Sequence[tuple[str, str]]) -> None:
        """Delete the items under *keys*."""
        try:
            with _translated(), self.item.batch_write() as batch:
                for key in keys:
                    batch.delete(self.item(*key))
        except PutError as error:
            # Without a cause: a part was throttled each time that pynamodb sent it again.
            if error.cause is None:
                raise StorageBusyError from error
            raise

    def put_many(self, items: Sequence[Item]) -> None:
        """Write *items*, whatever was there."""
        try:
            with _translated(), self.item.batch_write() as batch:
                for item in items:
                    batch.save(item)
        except PutError as error:
            if error.cause is None:
                raise StorageBusyError from error
            raise

    def add(self, item: Item, amounts: Mapping[str, int], expires_at: datetime) -> dict[str, int]:
        """Add *amounts* to the item's numbers and return what they then stand at."""
        asked = words.add(item, amounts, expires_at)
        answer = self._asked("update_item", ReturnValues="UPDATED_NEW", **asked)
        return {name: int(answer["Attributes"][name]["N"]) for name in amounts}

    def set_doc(self, item: Item, doc: str) -> None:
        """Set the item's `doc` and leave the rest of it as it is; what is gone stays gone."""
        try:
            with _translated():
                item.update(actions=[self.item.doc.set(doc)], condition=self.item.PK.exists())
        except PynamoDBException as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise

    @property
    def _name(self) -> dict[str, str]:
        return {"TableName": self.item.Meta.table_name}

    def _asked(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return botocore's answer to *operation*. Raises StorageBusyError, ClientError."""
        try:
            call = getattr(self.connection.client, operation)
            answer: dict[str, Any] = call(**self._name, **parameters)
        except (BotoCoreError, ClientError) as error:
            _raise_if_busy(error)
            raise
        return answer


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))


@contextmanager
def _translated() -> Iterator[None]:
    """Raise StorageBusyError for what the table could not take just now."""
    try:
        yield
    except PynamoDBException as error:
        _raise_if_busy(error.cause)
        raise


def _raise_if_busy(error: Exception | None) -> None:
    # An error without an answer has no code to look for.
    unanswered = isinstance(error, ConnectionError | HTTPClientError)
    if unanswered or (isinstance(error, ClientError) and _code(error) in _BUSY):
        raise StorageBusyError from error
