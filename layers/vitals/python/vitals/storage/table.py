"""The one table: its items, its index, and the few calls that all storage makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from botocore.exceptions import ConnectionError, HTTPClientError  # noqa: A004 - its name there
from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model
from pynamodb.pagination import PageIterator
from pynamodb.transactions import TransactWrite

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
    state = UnicodeAttribute(null=True)
    expires_at = TTLAttribute(null=True)
    by_time = ByTime()


@dataclass(frozen=True, slots=True)
class Found:
    """What a query gives of an item: pages are long, and an `Item` costs three times as much."""

    PK: str
    SK: str
    index_sk: str | None
    row: str | None
    doc: str | None
    cents: str | None


_FOUND = (("PK", "S"), ("SK", "S"), ("index_sk", "S"), ("row", "S"), ("doc", "S"), ("cents", "N"))
_ABSENT: Mapping[str, Any] = {}


class Writes:
    """The writes of one transaction; each is labelled with what its condition guards."""

    def __init__(self) -> None:
        self.deletes: list[tuple[str, Item, Condition | None]] = []
        self.puts: list[tuple[str, Item, Condition | None]] = []
        self.adds: list[tuple[Item, str, int]] = []

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
        guarded = [label for label, _, _ in (*self.deletes, *self.puts)]
        return guarded + ["counter"] * len(self.adds)


class Table:
    """The table called *name*, reached through pynamodb's own client."""

    def __init__(self, name: str) -> None:
        meta = type("Meta", (Item.Meta,), {"table_name": name})
        self.item = cast("type[Item]", type("Item", (Item,), {"Meta": meta}))

    @property
    def connection(self) -> Connection:
        """Return the connection that every call goes through."""
        # pynamodb gives no public way to the connection that its own TransactWrite asks for.
        return self.item._get_connection().connection  # noqa: SLF001 - see above

    def get(self, key: tuple[str, str], *, consistent: bool = True) -> Item | None:
        """Return the item under *key*."""
        with _translated():
            try:
                return self.item.get(*key, consistent_read=consistent)
            except self.item.DoesNotExist:
                return None

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
                yield Found(*(raw.get(name, _ABSENT).get(kind) for name, kind in _FOUND))

    def transact(self, writes: Writes) -> None:
        """Make all of *writes* or none.

        Raises WriteConflictError with the labels of the conditions that failed, StorageBusyError.
        """
        try:
            with _translated(), TransactWrite(connection=self.connection) as transaction:
                for _, item, condition in writes.deletes:
                    transaction.delete(item, condition=condition)
                for _, item, condition in writes.puts:
                    transaction.save(item, condition=condition)
                for item, attribute, amount in writes.adds:
                    column = getattr(self.item, attribute)
                    transaction.update(item, actions=[column.add(amount)])
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
            with _translated():
                item.save(condition=condition)
        except PynamoDBException as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
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

    def add(self, item: Item, amounts: Mapping[str, int], expires_at: datetime) -> Item:
        """Add *amounts* to the item's numbers and return it as it then stands."""
        actions = [getattr(self.item, name).add(amount) for name, amount in amounts.items()]
        actions.append(self.item.expires_at.set(expires_at))
        with _translated():
            item.update(actions=actions)
        return item

    def set_doc(self, item: Item, doc: str) -> None:
        """Set the item's `doc` and leave the rest of it as it is."""
        with _translated():
            item.update(actions=[self.item.doc.set(doc)], condition=self.item.PK.exists())


@contextmanager
def _translated() -> Iterator[None]:
    """Raise StorageBusyError for what the table could not take just now."""
    try:
        yield
    except PynamoDBException as error:
        # The cause of an error without an answer has no code to look for.
        unanswered = isinstance(error.cause, ConnectionError | HTTPClientError)
        if unanswered or error.cause_response_code in _BUSY:
            raise StorageBusyError from error
        raise
