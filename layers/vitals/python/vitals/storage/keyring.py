"""API keys in the table, as administrators see them, and the audit of what they did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter

from vitals.domain.access import ApiKey, Tenant
from vitals.domain.audit import AuditEvent
from vitals.domain.instants import iso
from vitals.storage import codec, keys
from vitals.storage.answers import put_answer
from vitals.storage.ports import KeyChange, Place, StoredAnswer
from vitals.storage.table import INDEX, Item, Table, Writes


class KeyringTable:
    """`ports.Keyring` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def keys(self, tenant_id: str) -> list[KeyChange]:
        """Return every key of the tenant, oldest first: 1 query and 1 batch read."""
        listed = self._table.query(keys.tenant_keys(tenant_id), index=INDEX)
        found = self._table.get_many([(item.PK, item.SK) for item in listed])
        changes = [
            KeyChange(None, key_of(item.row, item.doc), item.PK.removeprefix("K#"))
            for item in found
        ]
        return sorted(changes, key=attrgetter("after.created_at", "after.id"))

    def write(
        self,
        tenant: Tenant,
        changes: Sequence[KeyChange],
        event: AuditEvent,
        answer: StoredAnswer | None,
    ) -> None:
        """Make all of *changes*, with their audit event and answer, in one transaction."""
        writes = Writes()
        for change in changes:
            item = key_item(self._item, change.after, change.digest)
            if change.before is None:
                writes.put("version", item, self._item.PK.does_not_exist())
            else:
                writes.put("version", item, self._item.row == _row(change.before))
        audited = self._item(
            keys.audit_partition(tenant.id), f"{iso(event.at)}#{event.id}", row=_event_row(event)
        )
        writes.put("version", audited, self._item.PK.does_not_exist())
        put_answer(writes, self._item, tenant, answer)
        self._table.transact(writes)

    def touch(self, digest: str, at: datetime) -> None:
        """Note when the key was last used: 1 update."""
        self._table.set_doc(self._item(*keys.api_key(digest)), codec.encode([iso(at)]))

    def events(
        self,
        tenant_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: Place | None = None,
        page: int | None = None,
    ) -> Iterator[AuditEvent]:
        """Yield the tenant's audit events, newest first."""
        high = "#".join(after) if after else iso(until) + keys.LAST if until else keys.LAST
        span = self._item.SK.between(iso(since) if since else keys.FIRST, high)
        found = self._table.query(
            keys.audit_partition(tenant_id), span, descending=True, page=page and page + 1
        )
        for item in found:
            if after is None or high != item.SK:
                yield _event_of(item.row)


def key_item(kind: type[Item], key: ApiKey, digest: str) -> Item:
    """Return the item of *key*; its last use is not in `row`, so that noting it races nobody."""
    used = codec.encode([iso(key.last_used_at)]) if key.last_used_at else None
    return kind(
        *keys.api_key(digest),
        index_pk=keys.tenant_keys(key.tenant_id),
        index_sk=f"{iso(key.created_at)}#{key.id}",
        row=_row(key),
        doc=used,
    )


def key_of(row: str | None, doc: str | None) -> ApiKey:
    """Return the key that *row* describes, last used as *doc* says."""
    stored = codec.decode(row or "")
    return ApiKey(
        id=stored["id"],
        tenant_id=stored["tenant_id"],
        name=stored["name"],
        scopes=tuple(stored["scopes"]),
        prefix=stored["prefix"],
        created_at=datetime.fromisoformat(stored["created_at"]),
        expires_at=_instant(stored.get("expires_at")),
        revoked_at=_instant(stored.get("revoked_at")),
        replaced_by=stored.get("replaced_by"),
        last_used_at=_instant(codec.decode(doc)[0] if doc else None),
    )


def _row(key: ApiKey) -> str:
    row = {
        "id": key.id,
        "tenant_id": key.tenant_id,
        "name": key.name,
        "scopes": list(key.scopes),
        "prefix": key.prefix,
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at) if key.expires_at else None,
        "revoked_at": iso(key.revoked_at) if key.revoked_at else None,
        "replaced_by": key.replaced_by,
    }
    return codec.encode({name: value for name, value in row.items() if value is not None})


def _event_row(event: AuditEvent) -> str:
    return codec.encode(
        {
            "id": event.id,
            "at": iso(event.at),
            "action": event.action,
            "by": event.by,
            "subject": event.subject,
            "source_ip": event.source_ip,
            "details": event.details,
        }
    )


def _event_of(row: str | None) -> AuditEvent:
    stored = codec.decode(row or "")
    return AuditEvent(**stored | {"at": datetime.fromisoformat(stored["at"])})


def _instant(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None
