"""Finishing a purge: the history goes, then the locks that led to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from vitals.domain.access import Tenant
from vitals.storage import codec, keys
from vitals.storage.ports import StorageBusyError, WriteConflictError
from vitals.storage.table import Found, Item, Table, Writes

AT_ONCE = 25
"""So many items of events are read, and deleted by one call, before the next."""
MOST_AT_A_CALL = 2500
"""A request that erases more is asked whether it has time for the next so many."""


def finish_purge(table: Table, tenant: Tenant, customer_id: str) -> None:
    """Erase a purged customer's changes but the purge's own, its events, then its locks.

    Raises StorageBusyError if there are more events than one call erases: the next goes on.
    """
    kind, tombstone = table.item, table.get(keys.customer(tenant, customer_id))
    if tombstone is None or tombstone.row:
        return
    older = keys.version(int(tombstone.version or 0)) > kind.SK
    # Consistent, or a change of a moment ago would outlive the customer that it names.
    found = table.query(keys.history_partition(tenant, customer_id), older, consistent=True)
    table.delete_many([(item.PK, item.SK) for item in found])
    if codec.decode(tombstone.doc or "{}").get("ev"):
        erase_events(table, tenant.id, customer_id, most=MOST_AT_A_CALL)
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


def erase_events(
    table: Table, tenant_id: str, customer_id: str, *, most: int | None = None
) -> None:
    """Erase the customer's product events and all that is counted of them, a few at a time.

    One that is cut short is gone on with by the next. Raises StorageBusyError, also when it has
    erased *most* items.
    """
    place, erased = keys.events_partition(tenant_id, customer_id), 0
    # A chunk is large, and a page is read with all that it holds.
    found = table.query(place, page=AT_ONCE, consistent=True)
    while few := [(item.PK, item.SK) for item in islice(found, AT_ONCE)]:
        table.delete_many(few)
        erased += len(few)
        if most is not None and erased >= most:
            raise StorageBusyError


def held_by(tombstone: Item | Found) -> Iterator[keys.Key]:
    """Yield the keys of the locks that still lead to *tombstone*."""
    yield from map(tuple, codec.decode(tombstone.doc or "{}").get("held", ()))
