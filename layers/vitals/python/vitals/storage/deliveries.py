"""Deliveries in the table: each with its attempts, listed by the index, due by a wake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from vitals.domain.delivery import PENDING, Attempt, Delivery
from vitals.domain.instants import iso
from vitals.storage import codec, keys
from vitals.storage.ports import Place, Wake, WriteConflictError
from vitals.storage.reaction_ports import DELIVERY
from vitals.storage.table import INDEX, Found, Item, Table, Writes
from vitals.storage.wakes import wake_item, wake_key

KEPT = timedelta(days=30)
"""A delivery is kept for so long after its last change."""
LONGEST_KEPT = 3 * KEPT
"""But for no longer than this after it was made, however often it is replayed."""
_POINTERS_KEPT = LONGEST_KEPT + KEPT
"""What leads to it outlasts it, though DynamoDB removes what has expired some days later."""
_LARGE = ("payload", "attempts")
_INSTANTS = ("created_at", "next_at")


class DeliveryTable:
    """`reaction_ports.Deliveries` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def add(self, deliveries: Sequence[Delivery], about: Iterable[str] = ()) -> None:
        """Write those of *deliveries* that are new: 1 transaction each.

        *about* are customers that they name without being theirs: they are erased with each.
        """
        named = list(about)
        for delivery in deliveries:
            # First, so that no delivery names anybody who does not lead to it.
            self._table.put_many([_pointer(self._item, delivery, each) for each in named])
            add_new(self._table, delivery)

    def get(self, tenant_id: str, delivery_id: str) -> Delivery | None:
        """Return the delivery as last written: 1 read."""
        item = self._table.get(delivery_key(tenant_id, delivery_id))
        return _delivery_of(tenant_id, item) if item and item.doc else None

    def save(self, delivery: Delivery) -> Delivery:
        """Write *delivery* as the version after its own, and when it is due: 1 transaction."""
        after = replace(delivery, version=delivery.version + 1)
        writes = Writes()
        item = delivery_item(self._item, after)
        writes.put("version", item, self._item.version == delivery.version)
        place = wake_key(after.tenant_id, DELIVERY, after.id)
        if after.state == PENDING and after.next_at is not None:
            wake = Wake(after.tenant_id, DELIVERY, after.id, after.next_at)
            writes.put("wake", wake_item(self._item, wake), None)
        else:
            writes.delete("wake", self._item(*place), None)
        self._table.transact(writes)
        return after

    def all(
        self, tenant_id: str, *, after: Place | None = None, page: int | None = None
    ) -> Iterator[Delivery]:
        """Yield the tenant's deliveries from the index, newest first, without what is large."""
        place = "#".join(after) if after else None
        condition = place > self._item.index_sk if place else None
        for item in self._table.query(
            keys.deliveries_feed(tenant_id), condition, index=INDEX, descending=True, page=page
        ):
            yield _delivery_of(tenant_id, item)


def add_new(table: Table, delivery: Delivery) -> None:
    """Write *delivery* if it is new: 1 transaction."""
    writes = Writes()
    add_delivery(writes, table.item, delivery)
    with suppress(WriteConflictError):
        table.transact(writes)


def _pointer(kind: type[Item], delivery: Delivery, customer_id: str) -> Item:
    """Return the item that leads from a customer to a delivery that names it among others."""
    return kind(
        keys.deliveries_partition(delivery.tenant_id, customer_id),
        f"{keys.POINTER}{delivery.id}",
        expires_at=delivery.created_at + _POINTERS_KEPT,
    )


def add_delivery(writes: Writes, kind: type[Item], delivery: Delivery) -> None:
    """Add a new *delivery* to *writes*, with when it is due; it is refused if it exists."""
    writes.put(delivery.id, delivery_item(kind, delivery), kind.PK.does_not_exist())
    if delivery.next_at is not None:
        wake = Wake(delivery.tenant_id, DELIVERY, delivery.id, delivery.next_at)
        writes.put("wake", wake_item(kind, wake), None)


def delivery_key(tenant_id: str, delivery_id: str) -> keys.Key:
    """Return the key of a delivery: its id begins with whom it tells of."""
    return keys.delivery(tenant_id, delivery_id)


def delivery_item(kind: type[Item], delivery: Delivery) -> Item:
    """Return the item of *delivery*; pending, the table's stream sends it on its way."""
    stored = {
        each.name: value
        for each in fields(delivery)
        if each.name not in _LARGE and (value := getattr(delivery, each.name)) is not None
    }
    stored |= {name: iso(stored[name]) for name in _INSTANTS if name in stored}
    doc = {
        "payload": delivery.payload,
        "attempts": [_attempt_row(attempt) for attempt in delivery.attempts],
    }
    last = delivery.attempts[-1].at if delivery.attempts else delivery.created_at
    return kind(
        *delivery_key(delivery.tenant_id, delivery.id),
        index_pk=keys.deliveries_feed(delivery.tenant_id),
        index_sk=f"{iso(delivery.created_at)}#{delivery.id}",
        state=delivery.state,
        version=delivery.version,
        row=codec.encode(stored),
        doc=codec.encode(doc),
        expires_at=min(
            max(last, delivery.next_at or last) + KEPT, delivery.created_at + LONGEST_KEPT
        ),
    )


def _attempt_row(attempt: Attempt) -> dict[str, Any]:
    row = {each.name: getattr(attempt, each.name) for each in fields(attempt)}
    return row | {"at": iso(attempt.at)}


def _delivery_of(tenant_id: str, item: Item | Found) -> Delivery:
    stored = codec.decode(item.row or "{}")
    doc = codec.decode(item.doc or "{}")
    stored |= {name: datetime.fromisoformat(stored[name]) for name in _INSTANTS if name in stored}
    attempts = tuple(
        Attempt(**row | {"at": datetime.fromisoformat(row["at"])})
        for row in doc.get("attempts", ())
    )
    payload = doc.get("payload", {})
    return Delivery(**stored | {"tenant_id": tenant_id, "payload": payload, "attempts": attempts})
