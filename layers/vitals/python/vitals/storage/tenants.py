"""Tenants, their keys, models and counters in the table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from vitals.domain.access import ApiKey, Tenant
from vitals.domain.instants import iso
from vitals.domain.numbers import of_cents
from vitals.storage import codec, keyring, keys
from vitals.storage.table import INDEX, Table, Writes

_KEEP_COUNTERS = 120
"""Seconds after its minute that a counter is kept."""


class TenantTable:
    """`ports.Tenants` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def key(self, digest: str) -> ApiKey | None:
        """Return the API key whose secret hashes to *digest*: 1 read."""
        item = self._table.get(keys.api_key(digest), consistent=False)
        if item is None:
            return None
        return keyring.key_of(item.row, item.doc)

    def tenant(self, tenant_id: str) -> Tenant | None:
        """Return the tenant with its portfolio's MRR: 1 query over one page of small items."""
        place = keys.tenant_partition(tenant_id)
        found = self._table.query(place, self._item.SK.startswith(keys.SETTINGS))
        items = {item.SK: item for item in found}
        settings = items.pop(keys.TENANT, None)
        if settings is None:
            return None
        stored = codec.decode(settings.row or "")
        cents = sum(int(item.cents or 0) for item in items.values())
        return Tenant(
            id=tenant_id,
            name=stored["name"],
            created_at=datetime.fromisoformat(stored["created_at"]),
            shards=stored["shards"],
            time_zone=stored["time_zone"],
            model_version=stored["model_version"],
            limit_reads=stored.get("limit_reads"),
            limit_writes=stored.get("limit_writes"),
            limit_records=stored.get("limit_records"),
            portfolio_mrr=of_cents(cents),
        )

    def model_document(self, tenant_id: str, version: int) -> Mapping[str, Any] | None:
        """Return the document of one model version: 1 read."""
        key = (keys.tenant_partition(tenant_id), keys.model(version))
        item = self._table.get(key, consistent=False)
        document: Mapping[str, Any] | None = codec.decode(item.doc) if item and item.doc else None
        return document

    def any_tenant(self) -> bool:
        """Tell whether a tenant exists: 1 query of 1 item."""
        return next(self._table.query(keys.TENANTS, index=INDEX, page=1), None) is not None

    def create_tenant(self, tenant: Tenant, model: Mapping[str, Any]) -> None:
        """Store a new tenant with version 1 of its model, in one transaction."""
        place = keys.tenant_partition(tenant.id)
        row = {
            "name": tenant.name,
            "created_at": iso(tenant.created_at),
            "shards": tenant.shards,
            "time_zone": tenant.time_zone,
            "model_version": tenant.model_version,
            "limit_reads": tenant.limit_reads,
            "limit_writes": tenant.limit_writes,
            "limit_records": tenant.limit_records,
        }
        absent = self._item.PK.does_not_exist()
        writes = Writes()
        settings = self._item(
            place,
            keys.TENANT,
            index_pk=keys.TENANTS,
            index_sk=f"{iso(tenant.created_at)}#{tenant.id}",
            row=codec.encode(row),
        )
        writes.put("tenant", settings, absent)
        version = keys.model(tenant.model_version)
        writes.put("model", self._item(place, version, doc=codec.encode(model)), absent)
        self._table.transact(writes)

    def create_key(self, key: ApiKey, digest: str) -> None:
        """Store a new key under the hash of its secret."""
        item = keyring.key_item(self._item, key, digest)
        self._table.put(item, self._item.PK.does_not_exist())

    def count(self, tenant_id: str, minute: int, counters: Mapping[str, int]) -> dict[str, int]:
        """Add to the minute's counters and return what they stand at: 1 update."""
        item = self._item(*keys.minute(tenant_id, minute))
        gone = datetime.fromtimestamp(minute * 60 + 60 + _KEEP_COUNTERS, UTC)
        stands = self._table.add(item, counters, gone)
        return {name: int(getattr(stands, name) or 0) for name in counters}
