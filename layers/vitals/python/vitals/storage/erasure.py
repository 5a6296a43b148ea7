"""Erasing a tenant: every partition that is its own, until nothing of it is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from vitals.domain.access import Tenant
from vitals.domain.snapshot import PARTS
from vitals.storage import keys
from vitals.storage.customers import locks, stored_customer
from vitals.storage.table import INDEX, Table

_BATCH = 100


def erase(table: Table, tenant: Tenant, has_time: Callable[[], bool]) -> int | None:
    """Erase *tenant*'s items and return how many there were; None if the time was over before.

    Its settings go last, so that what was cut short is found again. The answers of
    Idempotency-Keys cannot be listed: they expire within a day.
    """
    erased = 0
    found = _everything(table, tenant)
    while batch := list(islice(found, _BATCH)):
        if not has_time():
            return None
        table.delete_many(batch)
        erased += len(batch)
    return erased


def _everything(table: Table, tenant: Tenant) -> Iterator[keys.Key]:
    """Yield the key of every item of *tenant*, whatever leads to others behind those."""
    from vitals.storage.reaction_ports import DIGEST  # noqa: PLC0415 - nothing else here needs it

    settings = (keys.tenant_partition(tenant.id), keys.TENANT)
    for shard in range(tenant.shards):
        for item in table.query(keys.partition(tenant, shard), consistent=True):
            customer_id = item.SK.removeprefix("C#")
            yield from _keys_of(table, keys.history_partition(tenant, customer_id))
            yield from _keys_of(table, keys.alerts_partition(tenant.id, customer_id))
            yield from _keys_of(table, keys.events_partition(tenant.id, customer_id))
            # Deliveries themselves are found by their feed.
            told = keys.deliveries_partition(tenant.id, customer_id)
            yield from _keys_of(table, told, keys.POINTER)
            if item.row:
                yield from locks(tenant, stored_customer(tenant, item))
            yield item.PK, item.SK
    for key in table.query(keys.tenant_keys(tenant.id), index=INDEX):
        yield key.PK, key.SK
    for key in table.query(keys.deliveries_feed(tenant.id), index=INDEX):
        yield key.PK, key.SK
    for wake in table.query(keys.wakes_partition(tenant.id), consistent=True):
        kind, _, key_of_wake = wake.SK.partition("#")
        if kind == DIGEST:
            box = key_of_wake.partition("#")[0]
            yield from _keys_of(table, keys.box_partition(tenant.id, box))
    for partition in (
        keys.wakes_partition(tenant.id),
        keys.rules_partition(tenant.id),
        keys.reports_partition(tenant.id),
        keys.health_partition(tenant.id),
        keys.audit_partition(tenant.id),
        keys.requests_partition(tenant.id),
        keys.jobs_partition(tenant.id),
        keys.papers_partition(tenant.id),
        *(keys.snapshots_partition(tenant.id, part) for part in ("", *PARTS)),
        keys.scores_partition(tenant.id),
        keys.counters_partition(tenant.id),
        keys.tenant_partition(tenant.id),
    ):
        yield from (key for key in _keys_of(table, partition) if key != settings)
    yield settings


def _keys_of(table: Table, partition: str, beginning: str = "") -> Iterator[keys.Key]:
    condition = table.item.SK.startswith(beginning) if beginning else None
    for item in table.query(partition, condition, consistent=True):
        yield item.PK, item.SK
