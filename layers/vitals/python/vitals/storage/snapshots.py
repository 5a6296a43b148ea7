"""Daily snapshots in the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from vitals.storage import codec, keys
from vitals.storage.table import Table


class SnapshotTable:
    """`ports.Snapshots` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def put(self, tenant_id: str, day: date, figures: Mapping[str, Any]) -> None:
        """Store the figures of *day*: 1 write."""
        place = keys.snapshots_partition(tenant_id)
        self._table.put(self._item(place, day.isoformat(), doc=codec.encode(figures)))

    def between(self, tenant_id: str, first: date, last: date) -> Iterator[Mapping[str, Any]]:
        """Yield the figures of each day that has them, the oldest first."""
        condition = self._item.SK.between(first.isoformat(), last.isoformat())
        for item in self._table.query(keys.snapshots_partition(tenant_id), condition):
            yield {"day": item.SK, **codec.decode(item.doc or "{}")}
