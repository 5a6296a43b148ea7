"""What is due, in the index by its instant: each tenant's next midnight."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime

from vitals.domain.instants import iso
from vitals.domain.job import Job
from vitals.storage import keys
from vitals.storage.jobs import job_item
from vitals.storage.ports import Due
from vitals.storage.table import INDEX, Item, Table, Writes


class ClockTable:
    """`ports.Clocks` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def due(self, now: datetime) -> Iterator[Due]:
        """Yield the tenants whose midnight has come, the longest due first: 1 query a shard."""
        last = iso(now) + keys.LAST
        shards = [
            self._table.query(place, last > self._item.index_sk, index=INDEX)
            for place in keys.due_partitions()
        ]
        for item in heapq.merge(*shards, key=lambda item: item.index_sk or ""):
            at, _, tenant_id = (item.index_sk or "").partition("#")
            yield Due(tenant_id, datetime.fromisoformat(at))

    def advance(self, due: Due, until: datetime, job: Job) -> None:
        """Start *job* and set the tenant's clock to *until*, in one transaction."""
        writes = Writes()
        same = self._item.row == iso(due.at)
        writes.put("version", clock_item(self._item, due.tenant_id, until), same)
        writes.put("version", job_item(self._item, job), self._item.PK.does_not_exist())
        self._table.transact(writes)


def clock_item(kind: type[Item], tenant_id: str, at: datetime) -> Item:
    """Return the item of a tenant's clock, due at *at*."""
    return kind(
        keys.tenant_partition(tenant_id),
        keys.CLOCK,
        index_pk=keys.due_partition(tenant_id),
        index_sk=f"{iso(at)}#{tenant_id}",
        row=iso(at),
    )
