"""What goes on at an instant, in the index: retries, summaries, escalations."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from vitals.domain.instants import iso
from vitals.domain.job import Job
from vitals.storage import keys
from vitals.storage.entries import entry_item
from vitals.storage.jobs import job_item
from vitals.storage.ports import Entry, Wake, WriteConflictError
from vitals.storage.table import INDEX, Item, Table, Writes


class WakeTable:
    """`reaction_ports.Wakes` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def set(self, wake: Wake) -> None:
        """Note *wake*: 1 write."""
        self._table.put(wake_item(self._item, wake))

    def due(self, now: datetime, kind: str = "") -> Iterator[Wake]:
        """Yield what is due, the longest due first: 1 query a shard."""
        last = iso(now) + keys.LAST
        shards = [
            self._table.query(place, last > self._item.index_sk, index=INDEX)
            for place in keys.wake_indexes(kind)
        ]
        for item in heapq.merge(*shards, key=lambda item: item.index_sk or ""):
            at, tenant_id, kind, key = (item.index_sk or "").split("#", 3)
            yield Wake(tenant_id, kind, key, datetime.fromisoformat(at))

    def start(self, wake: Wake, until: datetime, job: Job, again: Wake, occurrence: Entry) -> None:
        """Start *job*, set both wakes and write the *occurrence*, in one transaction."""
        writes = self._moved(wake, until)
        writes.put("version", job_item(self._item, job), self._item.PK.does_not_exist())
        writes.put("again", wake_item(self._item, again), None)
        writes.put("occurrence", entry_item(self._item, wake.tenant_id, occurrence), None)
        self._table.transact(writes)

    def start_again(self, wake: Wake, until: datetime, job: Job) -> None:
        """Write *job* as the version after its own, and set *wake* to *until*: 1 transaction."""
        writes = self._moved(wake, until)
        after = replace(job, version=job.version + 1)
        writes.put("version", job_item(self._item, after), self._item.version == job.version)
        self._table.transact(writes)

    def move(self, wake: Wake, until: datetime) -> None:
        """Set *wake* to *until*: 1 write."""
        self._table.transact(self._moved(wake, until))

    def _moved(self, wake: Wake, until: datetime) -> Writes:
        writes = Writes()
        same = self._item.row == iso(wake.at)
        writes.put("version", wake_item(self._item, replace(wake, at=until)), same)
        return writes

    def done(self, wake: Wake) -> None:
        """Forget *wake*, unless it was set anew: 1 write."""
        writes = Writes()
        item = self._item(*wake_key(wake.tenant_id, wake.kind, wake.key))
        writes.delete("version", item, self._item.row == iso(wake.at))
        with suppress(WriteConflictError):
            self._table.transact(writes)

    def forget(self, tenant_id: str, kind: str, key: str) -> None:
        """Forget what is to be gone on with under *key*: 1 write."""
        writes = Writes()
        writes.delete("wake", self._item(*wake_key(tenant_id, kind, key)), None)
        self._table.transact(writes)


def wake_key(tenant_id: str, kind: str, key: str) -> keys.Key:
    """Return the key of a wake."""
    return keys.wakes_partition(tenant_id), f"{kind}#{key}"


def wake_item(kind: type[Item], wake: Wake) -> Item:
    """Return the item of *wake*."""
    return kind(
        *wake_key(wake.tenant_id, wake.kind, wake.key),
        index_pk=keys.wake_index(wake.tenant_id, wake.kind),
        index_sk=f"{iso(wake.at)}#{wake.tenant_id}#{wake.kind}#{wake.key}",
        row=iso(wake.at),
    )
