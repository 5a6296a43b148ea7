"""Finishing a purge: the history goes, then the locks that led to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from vitals.domain.access import Tenant
from vitals.storage import codec, keys
from vitals.storage.ports import WriteConflictError
from vitals.storage.table import Found, Item, Table, Writes


def finish_purge(table: Table, tenant: Tenant, customer_id: str) -> None:
    """Erase a purged customer's changes but the purge's own, its events, then its locks."""
    kind, tombstone = table.item, table.get(keys.customer(tenant, customer_id))
    if tombstone is None or tombstone.row:
        return
    older = keys.version(int(tombstone.version or 0)) > kind.SK
    # Consistent, or a change of a moment ago would outlive the customer that it names.
    found = table.query(keys.history_partition(tenant, customer_id), older, consistent=True)
    table.delete_many([(item.PK, item.SK) for item in found])
    if codec.decode(tombstone.doc or "{}").get("ev"):
        erase_events(table, tenant.id, customer_id)
    writes = Writes()
    for key in held_by(tombstone):
        writes.delete("lock", kind(*key), kind.doc == customer_id)
    if not writes.deletes:
        return
    tombstone.doc = codec.encode({"ci": codec.decode(tombstone.doc or "")["ci"]})
    writes.put("version", tombstone, None)
    # Whoever was faster has deleted them, and they may be another customer's by now.
    with suppress(WriteConflictError):
        table.transact(writes)


def erase_reactions(table: Table, tenant_id: str, customer_id: str) -> None:
    """Erase the customer's alerts, the deliveries that tell of it, and its product events.

    Called when the stream shows the tombstone, behind all that earlier records raised.
    """
    for place in (
        keys.alerts_partition(tenant_id, customer_id),
        keys.deliveries_partition(tenant_id, customer_id),
    ):
        found = [(item.PK, item.SK) for item in table.query(place, consistent=True)]
        led_to = (sort.removeprefix(keys.POINTER) for _, sort in found if keys.POINTER in sort)
        table.delete_many([*(keys.delivery(tenant_id, each) for each in led_to), *found])
    # A purge that was cut short may have left them.
    erase_events(table, tenant_id, customer_id)


def erase_events(table: Table, tenant_id: str, customer_id: str) -> None:
    """Erase the customer's product events and all that is counted of them."""
    found = table.query(keys.events_partition(tenant_id, customer_id), consistent=True)
    table.delete_many([(item.PK, item.SK) for item in found])


def held_by(tombstone: Item | Found) -> Iterator[keys.Key]:
    """Yield the keys of the locks that still lead to *tombstone*."""
    yield from map(tuple, codec.decode(tombstone.doc or "{}").get("held", ()))
