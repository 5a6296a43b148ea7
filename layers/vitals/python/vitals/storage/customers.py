"""Customers in the table: read whole, listed by the index, written in one transaction."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from pynamodb.expressions.condition import Condition

from vitals.domain.access import Tenant
from vitals.domain.change import Change, is_visible
from vitals.domain.customer import Customer
from vitals.domain.errors import PayloadTooLargeError
from vitals.domain.instants import iso
from vitals.domain.model import CHURNED
from vitals.storage import codec, keys
from vitals.storage.answers import answer_item, put_answer, unanswered
from vitals.storage.ports import Commit, Place, StoredAnswer, WriteConflictError
from vitals.storage.purges import finish_purge
from vitals.storage.table import INDEX, Found, Item, Table, Writes

LARGEST_ITEM = 64 * 1024
ROOM = 512
"""Bytes that a score may take beyond what its customer was allowed."""
_OURS = ("model", "rescore", "decay")
"""Causes of changes that nobody asked for with a body that could be shortened."""


class CustomerTable:
    """`ports.Customers` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def get(self, tenant: Tenant, customer_id: str) -> Customer | None:
        """Return the customer as last written: 1 strongly consistent read."""
        item = self._table.get(keys.customer(tenant, customer_id))
        return stored_customer(tenant, item) if item and item.row else None

    def get_many(self, tenant: Tenant, ids: Sequence[str]) -> dict[str, Customer]:
        """Return those of *ids* that exist, by id, as last written."""
        found = self._table.get_many([keys.customer(tenant, customer_id) for customer_id in ids])
        return {_id(item): stored_customer(tenant, item) for item in found if item.row}

    def holder(self, tenant: Tenant, kind: str, value: str) -> str | None:
        """Return the id of the customer that holds the *value* of a *kind*: 1 read.

        If a purge that was cut short left the lock behind, the purge is finished.
        """
        item = self._table.get(keys.lock(tenant, kind, value))
        if item and item.doc:
            finish_purge(self._table, tenant, item.doc)
        return item.row if item else None

    def holders(
        self, tenant: Tenant, wanted: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        """Return the ids of the customers that hold the (kind, value) pairs."""
        by_key = {keys.lock(tenant, kind, value): (kind, value) for kind, value in wanted}
        found = {(item.PK, item.SK): item.row for item in self._table.get_many(list(by_key))}
        pairs = ((kind, value, found.get(keys.lock(tenant, kind, value))) for kind, value in wanted)
        return {(kind, value): holder for kind, value, holder in pairs if holder}

    def check(self, tenant: Tenant, customer: Customer) -> None:
        """Raise PayloadTooLargeError if *customer* would be too large to store."""
        self._customer_item(tenant, customer)

    def commit(self, tenant: Tenant, commit: Commit) -> None:
        """Write the customer, its change, locks, revenue and answer in one transaction."""
        writes = Writes()
        self.add_to(writes, tenant, commit)
        if len(writes.labels) == 1:
            [(_, item, condition)] = writes.puts
            self._table.put(item, condition)
        else:
            self._table.transact(writes)

    def add_to(self, writes: Writes, tenant: Tenant, commit: Commit) -> None:
        """Add all that *commit* writes to *writes*. Raises PayloadTooLargeError."""
        ours = commit.change is not None and commit.change.cause in _OURS
        item = self._customer_item(tenant, commit.after, ROOM if ours else 0)
        writes.put("version", item, self._unmoved(commit.before))
        if commit.change is not None:
            writes.put("version", self._change_item(tenant, commit.change), self._absent())
            self._move_locks(writes, tenant, commit.before, commit.after)
            self._move_revenue(writes, tenant, commit.after.id, commit.before, commit.after)
        if commit.head is not None:
            place = keys.events_partition(tenant.id, commit.after.id)
            head = self._item(place, keys.HEAD)
            as_read = self._item.version == commit.head if commit.head else self._absent()
            writes.check("version", head, as_read)
        put_answer(writes, self._item, tenant, commit.answer)

    def purge(
        self,
        tenant: Tenant,
        customer: Customer,
        change: Change,
        answer: StoredAnswer | None = None,
    ) -> None:
        """Erase the customer, leaving a tombstone without personal data.

        Nobody holds its locks any more; they lead to its history until that is erased as well.
        """
        writes = Writes()
        held = locks(tenant, customer)
        rest = {"ci": change.id, "held": list(held)}
        # Who never had an event needs no query for them.
        doc = codec.encode(rest | {"ev": 1} if customer.events_until else rest)
        key = keys.customer(tenant, customer.id)
        tombstone = self._item(*key, version=change.version, doc=doc)
        writes.put("version", tombstone, self._unmoved(customer))
        writes.put("version", self._change_item(tenant, change), self._absent())
        for place, (kind, owner) in held.items():
            writes.put(kind, self._item(*place, doc=owner), self._item.row == owner)
        self._move_revenue(writes, tenant, customer.id, customer, None)
        put_answer(writes, self._item, tenant, answer)
        self._table.transact(writes)

    def purge_history(self, tenant: Tenant, customer_id: str) -> None:
        """Erase the customer's changes but the purge's own, and its locks; may be called again."""
        finish_purge(self._table, tenant, customer_id)

    def is_purged(self, tenant: Tenant, customer_id: str) -> bool:
        """Tell whether a tombstone stands where the customer was."""
        item = self._table.get(keys.customer(tenant, customer_id))
        return item is not None and item.row is None

    def roster(
        self,
        tenant: Tenant,
        *,
        since: datetime | None = None,
        after: Place | None = None,
        descending: bool = True,
        page: int | None = None,
    ) -> Iterator[Customer]:
        """Yield the tenant's customers by updated_at from the index, all shards merged."""
        places = [keys.partition(tenant, shard) for shard in range(tenant.shards)]
        span = (iso(since) if since else keys.FIRST, keys.LAST)
        for item in self._by_time(places, span, after, descending=descending, page=page):
            yield stored_customer(tenant, item)

    def history(
        self,
        tenant: Tenant,
        customer_id: str,
        *,
        before_version: int | None = None,
        page: int | None = None,
    ) -> Iterator[Change]:
        """Yield the customer's changes, newest first, as last written."""
        place = keys.history_partition(tenant, customer_id)
        condition = keys.version(before_version) > self._item.SK if before_version else None
        for item in self._table.query(
            place, condition, descending=True, page=page, consistent=True
        ):
            yield codec.change_of(item.row or "")

    def feed(
        self,
        tenant: Tenant,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: Place | None = None,
        descending: bool = True,
        page: int | None = None,
    ) -> Iterator[Change]:
        """Yield the tenant's changes from the index, all shards merged."""
        places = [keys.feed_partition(tenant, shard) for shard in range(tenant.shards)]
        span = (iso(since) if since else keys.FIRST, iso(until) + keys.LAST if until else keys.LAST)
        for item in self._by_time(places, span, after, descending=descending, page=page):
            yield codec.change_of(item.row or "")

    def claim(self, tenant: Tenant, answer: StoredAnswer) -> None:
        """Store *answer* unless its key has an unexpired one: 1 write."""
        with suppress(WriteConflictError):
            item = answer_item(self._item, tenant, answer)
            self._table.put(item, unanswered(self._item, answer))

    def answer(self, tenant: Tenant, key: str, now: datetime) -> StoredAnswer | None:
        """Return the unexpired answer of an Idempotency-Key: 1 read."""
        item = self._table.get(keys.answer(tenant, key))
        if item is None or item.expires_at is None or item.expires_at <= now:
            return None
        stored = codec.decode(item.doc or "{}")
        return StoredAnswer(key, stored["fingerprint"], stored["body"], now, item.expires_at)

    def _by_time(
        self,
        places: Sequence[str],
        span: tuple[str, str],
        after: Place | None,
        *,
        descending: bool,
        page: int | None,
    ) -> Iterator[Found]:
        """Yield the index's items within *span* behind *after*, one query a shard, merged."""
        low, high = span
        if after is not None:
            place = "#".join(after)
            low, high = (low, min(high, place)) if descending else (max(low, place), high)
            # The place itself is read once more, and left out below.
            page = page and page + 1
        if low > high:
            return
        shards = [
            self._table.query(
                place,
                self._item.index_sk.between(low, high),
                index=INDEX,
                descending=descending,
                page=page,
            )
            for place in places
        ]
        skipped = "#".join(after) if after else None
        merged = heapq.merge(*shards, key=lambda item: item.index_sk or "", reverse=descending)
        yield from (item for item in merged if item.index_sk != skipped)

    def _customer_item(self, tenant: Tenant, customer: Customer, room: int = 0) -> Item:
        key = keys.customer(tenant, customer.id)
        row, doc = codec.customer_row(customer), codec.customer_doc(customer)
        size = len(row.encode()) + len(doc.encode())
        if size > LARGEST_ITEM + room:
            raise PayloadTooLargeError(
                f"the customer would take {size} bytes; at most {LARGEST_ITEM} are kept of one: "
                "shorten custom_fields or note, or delete contacts"
            )
        return self._item(
            *key,
            index_pk=key[0],
            index_sk=f"{iso(customer.updated_at)}#{customer.id}",
            version=customer.version,
            row=row,
            doc=doc,
        )

    def _change_item(self, tenant: Tenant, change: Change) -> Item:
        item = self._item(
            keys.history_partition(tenant, change.customer_id),
            keys.version(change.version),
            row=codec.change_row(change),
        )
        if is_visible(change):
            # What nobody can see wakes no reader of the feed (AMB-05).
            shard = keys.shard_of(tenant, change.customer_id)
            item.index_pk = keys.feed_partition(tenant, shard)
            item.index_sk = f"{iso(change.at)}#{change.id}"
        return item

    def _move_locks(
        self, writes: Writes, tenant: Tenant, before: Customer | None, after: Customer
    ) -> None:
        """Take what *after* newly holds and release what *before* alone held (AMB-11)."""
        old, new = locks(tenant, before), locks(tenant, after)
        for key, (kind, owner) in new.items():
            if key not in old:
                writes.put(kind, self._item(*key, row=owner), self._absent())
        for key, (kind, owner) in old.items():
            if key not in new:
                writes.delete(kind, self._item(*key), self._item.row == owner)

    def _move_revenue(
        self,
        writes: Writes,
        tenant: Tenant,
        owner: str,
        before: Customer | None,
        after: Customer | None,
    ) -> None:
        """Keep the portfolio's MRR, of which a priority is a share, true in the same write."""
        moved = _live_cents(after) - _live_cents(before)
        if moved:
            counter = self._item(keys.tenant_partition(tenant.id), keys.mrr_counter(owner))
            writes.add(counter, "cents", moved)

    def _unmoved(self, before: Customer | None) -> Condition:
        return self._absent() if before is None else self._item.version == before.version

    def _absent(self) -> Condition:
        return self._item.PK.does_not_exist()


def stored_customer(tenant: Tenant, item: Item | Found) -> Customer:
    """Return the customer that *item* holds."""
    updated_at = (item.index_sk or "").partition("#")[0]
    return codec.customer_of(tenant.id, _id(item), updated_at, item.row or "{}", item.doc)


def _id(item: Item | Found) -> str:
    return item.SK.removeprefix("C#")


def locks(tenant: Tenant, customer: Customer | None) -> dict[keys.Key, tuple[str, str]]:
    """Return the locks that *customer* holds, each with its kind and owner."""
    if customer is None:
        return {}
    held = {keys.lock(tenant, "name", customer.name): ("name", customer.id)}
    for kind in ("external_id", "email_domain"):
        value = getattr(customer, kind)
        if value is not None:
            held[keys.lock(tenant, kind, value)] = (kind, customer.id)
    return held


def _live_cents(customer: Customer | None) -> int:
    """Return what *customer* pays; whoever churned, or is in the trash, pays nothing any more."""
    if customer is None or customer.deleted_at is not None or customer.lifecycle == CHURNED:
        return 0
    if customer.mrr is None:
        return 0
    return int(customer.mrr * 100)
