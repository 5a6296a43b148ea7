"""Tenants, their keys, models and counters in the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pynamodb.expressions.condition import Condition

from vitals.domain.access import ApiKey, Tenant
from vitals.domain.instants import iso
from vitals.domain.numbers import of_cents
from vitals.storage import codec, erasure, keys
from vitals.storage.api_keys import instant_of, key_of
from vitals.storage.ports import ModelVersion, Place
from vitals.storage.table import INDEX, Found, Item, Table

_KEEP_COUNTERS = 120
"""Seconds after its window that a counter is kept."""


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
        return key_of(item.row, item.doc)

    def tenant(self, tenant_id: str, *, consistent: bool = False) -> Tenant | None:
        """Return the tenant with its portfolio's MRR: 1 query over one page of small items."""
        place = keys.tenant_partition(tenant_id)
        condition = self._item.SK.startswith(keys.SETTINGS)
        found = self._table.query(place, condition, consistent=consistent)
        items = {item.SK: item for item in found}
        settings = items.pop(keys.TENANT, None)
        if settings is None:
            return None
        cents = sum(int(item.cents or 0) for item in items.values())
        return replace(_tenant_of(settings), portfolio_mrr=of_cents(cents))

    def all_tenants(
        self, *, after: Place | None = None, page: int | None = None
    ) -> Iterator[Tenant]:
        """Yield the tenants from the index, newest first, without their MRR."""
        place = "#".join(after) if after else None
        condition = place > self._item.index_sk if place else None
        for item in self._table.query(
            keys.TENANTS, condition, index=INDEX, descending=True, page=page
        ):
            yield _tenant_of(item)

    def model_document(
        self, tenant_id: str, version: int, *, consistent: bool = False
    ) -> Mapping[str, Any] | None:
        """Return the document of one model version: 1 read."""
        key = (keys.tenant_partition(tenant_id), keys.model(version))
        item = self._table.get(key, consistent=consistent)
        document: Mapping[str, Any] | None = codec.decode(item.doc) if item and item.doc else None
        return document

    def models(
        self, tenant_id: str, *, before: int | None = None, page: int | None = None
    ) -> Iterator[ModelVersion]:
        """Yield the tenant's model versions, newest first, as last written."""
        high = keys.model(before - 1) if before else keys.MODELS_LAST
        condition = self._item.SK.between(keys.model(0), high)
        for item in self._table.query(
            keys.tenant_partition(tenant_id), condition, descending=True, page=page, consistent=True
        ):
            about = codec.decode(item.row or "{}")
            yield ModelVersion(
                tenant_id=tenant_id,
                version=keys.model_version(item.SK),
                document=codec.decode(item.doc or "{}"),
                **about | {"at": instant_of(about.get("at"))},
            )

    def any_tenant(self) -> bool:
        """Tell whether a tenant exists: 1 query of 1 item."""
        return next(self._table.query(keys.TENANTS, index=INDEX, page=1), None) is not None

    def count(
        self, tenant_id: str, number: int, counters: Mapping[str, int], *, seconds: int = 60
    ) -> dict[str, int]:
        """Add to the window's counters and return what they stand at: 1 update."""
        item = self._item(*keys.window(tenant_id, number, seconds))
        gone = datetime.fromtimestamp((number + 1) * seconds + _KEEP_COUNTERS, UTC)
        return self._table.add(item, counters, gone)

    def erase(self, tenant: Tenant, has_time: Callable[[], bool]) -> int | None:
        """Erase what is the tenant's, itself last; return how many items, None if out of time."""
        return erasure.erase(self._table, tenant, has_time)


def tenant_item(kind: type[Item], tenant: Tenant) -> Item:
    """Return the item of *tenant*'s settings."""
    row = {
        "name": tenant.name,
        "created_at": iso(tenant.created_at),
        "shards": tenant.shards,
        "model_version": tenant.model_version,
        "limit_reads": tenant.limit_reads,
        "limit_writes": tenant.limit_writes,
        "limit_records": tenant.limit_records,
        "limit_events": tenant.limit_events,
        "limit_batches": tenant.limit_batches,
        "limit_imports": tenant.limit_imports,
        "sandbox_id": tenant.sandbox_id,
        "sandbox_of": tenant.sandbox_of,
        "suspended_at": iso(tenant.suspended_at) if tenant.suspended_at else None,
        "deleted_at": iso(tenant.deleted_at) if tenant.deleted_at else None,
        "revision": tenant.revision,
    }
    return kind(
        keys.tenant_partition(tenant.id),
        keys.TENANT,
        index_pk=keys.TENANTS,
        index_sk=f"{iso(tenant.created_at)}#{tenant.id}",
        version=tenant.revision,
        row=codec.encode({name: value for name, value in row.items() if value is not None}),
    )


def unmoved(kind: type[Item], before: Tenant | None) -> Condition:
    """Return the condition that the tenant's settings are as they were *before*."""
    if before is None:
        absent: Condition = kind.PK.does_not_exist()
        return absent
    same: Condition = kind.version == before.revision
    # What was stored before settings could change bears no number.
    first: Condition = kind.PK.exists() & kind.version.does_not_exist()
    return same if before.revision else same | first


def model_item(kind: type[Item], model: ModelVersion) -> Item:
    """Return the item of *model*."""
    about = {
        "at": iso(model.at) if model.at else None,
        "by": model.by,
        "action": model.action,
        "note": model.note,
    }
    return kind(
        keys.tenant_partition(model.tenant_id),
        keys.model(model.version),
        row=codec.encode({name: value for name, value in about.items() if value is not None}),
        doc=codec.encode(model.document),
    )


def _tenant_of(item: Found) -> Tenant:
    stored = codec.decode(item.row or "")
    _, _, tenant_id = (item.index_sk or "").partition("#")
    return Tenant(
        id=tenant_id,
        name=stored["name"],
        created_at=datetime.fromisoformat(stored["created_at"]),
        shards=stored["shards"],
        model_version=stored["model_version"],
        limit_reads=stored.get("limit_reads"),
        limit_writes=stored.get("limit_writes"),
        limit_records=stored.get("limit_records"),
        limit_events=stored.get("limit_events"),
        limit_batches=stored.get("limit_batches"),
        limit_imports=stored.get("limit_imports"),
        sandbox_id=stored.get("sandbox_id"),
        sandbox_of=stored.get("sandbox_of"),
        suspended_at=instant_of(stored.get("suspended_at")),
        deleted_at=instant_of(stored.get("deleted_at")),
        revision=stored.get("revision", 0),
    )
