"""Administration in the table: each act one transaction, the audit of it, and the request log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from operator import attrgetter

from vitals.domain.access import Tenant
from vitals.domain.audit import AuditEvent, LoggedRequest
from vitals.domain.instants import iso
from vitals.storage import codec, keys
from vitals.storage.answers import put_answer
from vitals.storage.api_keys import key_item, key_of, key_row
from vitals.storage.clocks import clock_item
from vitals.storage.entries import write_entry
from vitals.storage.jobs import job_item
from vitals.storage.ports import Act, KeyChange, Place
from vitals.storage.table import INDEX, Found, Table, Writes
from vitals.storage.tenants import model_item, tenant_item, unmoved

KEEP_REQUESTS = timedelta(days=30)
_LOGGED = tuple(each.name for each in fields(LoggedRequest))


class AdministrationTable:
    """`ports.Administration` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def commit(self, tenant: Tenant, act: Act) -> None:
        """Write all of *act* in one transaction."""
        writes = Writes()
        absent = self._item.PK.does_not_exist()
        for change in act.keys:
            item = key_item(self._item, change.after, change.digest)
            same = self._item.row == key_row(change.before) if change.before else absent
            writes.put("version", item, same)
        for moved in act.tenants:
            item = tenant_item(self._item, moved.after)
            writes.put("version", item, unmoved(self._item, moved.before))
            if moved.due is not None:
                writes.put("version", clock_item(self._item, moved.after.id, moved.due), None)
        for model in act.models:
            writes.put("version", model_item(self._item, model), absent)
        if act.job is not None:
            earlier = act.job.version - 1
            same = self._item.version == earlier if earlier else absent
            writes.put("version", job_item(self._item, act.job), same)
        for entry in act.entries:
            write_entry(writes, self._item, tenant.id, entry)
        if act.wakes:
            from vitals.storage.wakes import wake_item  # noqa: PLC0415 - few acts set one

            for wake in act.wakes:
                writes.put("wake", wake_item(self._item, wake), None)
        audited = self._item(*_place(tenant, act.event), row=_event_row(act.event))
        writes.put("version", audited, absent)
        put_answer(writes, self._item, tenant, act.answer)
        self._table.transact(writes)

    def is_done(self, tenant: Tenant, event: AuditEvent) -> bool:
        """Tell whether the act of *event* was committed: 1 read."""
        return self._table.get(_place(tenant, event)) is not None

    def keys(self, tenant_id: str) -> list[KeyChange]:
        """Return every key of the tenant, oldest first: 1 query and 1 batch read."""
        listed = self._table.query(keys.tenant_keys(tenant_id), index=INDEX)
        found = self._table.get_many([(item.PK, item.SK) for item in listed])
        changes = [
            KeyChange(None, key_of(item.row, item.doc), item.PK.removeprefix("K#"))
            for item in found
        ]
        return sorted(changes, key=attrgetter("after.created_at", "after.id"))

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
        span = (since, until, after)
        for item in self._newest(keys.audit_partition(tenant_id), span, page):
            yield _event_of(item.row)

    def log(self, tenant_id: str, entry: LoggedRequest) -> None:
        """Put one request into the tenant's log: 1 write."""
        place = f"{iso(entry.at)}#{entry.trace_id}"
        logged = {name: getattr(entry, name) for name in _LOGGED}
        row = codec.encode(logged | {"at": iso(entry.at)})
        partition = keys.requests_partition(tenant_id)
        expires_at = entry.at + KEEP_REQUESTS
        self._table.put(self._item(partition, place, row=row, expires_at=expires_at))

    def logged(
        self,
        tenant_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: Place | None = None,
        page: int | None = None,
    ) -> Iterator[LoggedRequest]:
        """Yield the tenant's requests, newest first."""
        span = (since, until, after)
        for item in self._newest(keys.requests_partition(tenant_id), span, page):
            stored = codec.decode(item.row or "")
            yield LoggedRequest(**stored | {"at": datetime.fromisoformat(stored["at"])})

    def _newest(
        self,
        partition: str,
        span: tuple[datetime | None, datetime | None, Place | None],
        page: int | None,
    ) -> Iterator[Found]:
        """Yield the items of *partition*, whose keys begin with instants, newest first."""
        since, until, after = span
        low = iso(since) if since else keys.FIRST
        high = "#".join(after) if after else iso(until) + keys.LAST if until else keys.LAST
        if low > high:
            return
        condition = self._item.SK.between(low, high)
        # The place itself is read once more, and left out.
        page = page and page + 1
        for item in self._table.query(partition, condition, descending=True, page=page):
            if after is None or high != item.SK:
                yield item


def _place(tenant: Tenant, event: AuditEvent) -> keys.Key:
    return keys.audit_partition(tenant.id), f"{iso(event.at)}#{event.id}"


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
