"""Rulebooks in the table: rules, connections and managers, read together by one query."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from vitals.domain.connection import Health
from vitals.domain.instants import iso
from vitals.storage import codec, keys
from vitals.storage.entries import entry_item
from vitals.storage.ports import Entry, WriteConflictError
from vitals.storage.table import Found, Item, Table


class RulebookTable:
    """`reaction_ports.Rulebooks` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def entries(self, tenant_id: str) -> list[Entry]:
        """Return every entry, as last written: 1 strongly consistent query."""
        found = self._table.query(keys.rules_partition(tenant_id), consistent=True)
        return [_entry_of(item) for item in found]

    def of_reports(self, tenant_id: str) -> list[Entry]:
        """Return report schedules, their latest occurrences and the look: 1 consistent query."""
        found = self._table.query(keys.reports_partition(tenant_id), consistent=True)
        return [_entry_of(item) for item in found]

    def note(self, tenant_id: str, occurrence: Entry) -> None:
        """Write what became of an *occurrence*, unless a later one has begun: 1 write."""
        item = entry_item(self._item, tenant_id, occurrence)
        with suppress(WriteConflictError):
            self._table.put(item, self._item.version == occurrence.version)

    def drop(self, tenant_id: str, kind: str, entry_id: str) -> None:
        """Delete one entry, if it is there: 1 write."""
        self._table.delete_many([keys.entry(tenant_id, kind, entry_id)])

    def entry(self, tenant_id: str, kind: str, entry_id: str) -> Entry | None:
        """Return one entry as last written: 1 read."""
        item = self._table.get(keys.entry(tenant_id, kind, entry_id))
        return _entry_of(item) if item else None

    def health(self, tenant_id: str, connection_id: str) -> Health:
        """Return how an endpoint does: 1 read."""
        item = self._table.get((keys.health_partition(tenant_id), connection_id))
        return _health_of(item)

    def healths(self, tenant_id: str) -> dict[str, Health]:
        """Return how the tenant's endpoints do, by connection: 1 query."""
        found = self._table.query(keys.health_partition(tenant_id), consistent=True)
        return {item.SK: _health_of(item) for item in found}

    def set_health(self, tenant_id: str, connection_id: str, health: Health) -> None:
        """Note how an endpoint does: 1 write."""
        since, until = health.failing_since, health.resting_until
        row = {
            "failing_since": iso(since) if since else None,
            "resting_until": iso(until) if until else None,
            "failures": health.failures,
        }
        place = keys.health_partition(tenant_id)
        self._table.put(self._item(place, connection_id, row=codec.encode(row)))


def _entry_of(item: Item | Found) -> Entry:
    kind, _, entry_id = item.SK.partition("#")
    version = codec.decode(item.row or "{}")["version"]
    return Entry(kind, entry_id, version, codec.decode(item.doc or "{}"))


def _health_of(item: Item | Found | None) -> Health:
    stored = codec.decode(item.row or "{}") if item else {}
    return Health(
        failing_since=_instant(stored.get("failing_since")),
        resting_until=_instant(stored.get("resting_until")),
        failures=stored.get("failures", 0),
    )


def _instant(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None
