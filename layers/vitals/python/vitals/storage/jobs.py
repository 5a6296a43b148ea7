"""Jobs in the table; an item that is written as queued starts its job (docs/decisions/0009)."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from vitals.domain.instants import iso
from vitals.domain.job import REPORT, Job
from vitals.storage import codec, keys
from vitals.storage.table import Found, Item, Table

REPORTS = "reports"
"""What is queued for another function than the other jobs'."""
LARGEST_PART = 250_000
"""An item holds 400 KB at most: what is larger when it is packed is cut into parts."""
_INSTANTS = ("created_at", "started_at", "finished_at", "updated_at")
_LARGE = ("params", "result")


class JobTable:
    """`ports.Jobs` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def get(self, tenant_id: str, job_id: str) -> Job | None:
        """Return the job as last written: 1 strongly consistent read."""
        item = self._table.get((keys.jobs_partition(tenant_id), job_id))
        return _job_of(item) if item else None

    def all(
        self, tenant_id: str, *, after: str | None = None, page: int | None = None
    ) -> Iterator[Job]:
        """Yield the tenant's jobs, newest first, as last written."""
        condition = after > self._item.SK if after else None
        for item in self._table.query(
            keys.jobs_partition(tenant_id), condition, descending=True, page=page, consistent=True
        ):
            yield _job_of(item)

    def save(self, job: Job) -> Job:
        """Write *job* as the version after the one it bears: 1 write."""
        after = replace(job, version=job.version + 1)
        self._table.put(job_item(self._item, after), self._item.version == job.version)
        return after

    def keep(
        self, tenant_id: str, job_id: str, page: str, value: Any, expires_at: datetime
    ) -> None:
        """Keep *value*, as JSON, as a *page* beside the job until then: 1 write for each part.

        The first part, which says how many there are, is the last that is written.
        """
        text = json.dumps(value, default=float)
        packed = b64encode(zlib.compress(text.encode())).decode()
        parts = [
            packed[start : start + LARGEST_PART] for start in range(0, len(packed), LARGEST_PART)
        ]
        for number in reversed(range(len(parts))):
            item = self._item(
                *keys.paper(tenant_id, job_id, page, number),
                row=str(len(parts)),
                doc=parts[number],
                expires_at=expires_at,
            )
            self._table.put(item)

    def kept(self, tenant_id: str, job_id: str, page: str, now: datetime) -> Any:
        """Return what is kept as a *page* beside the job and is not over, else None."""
        texts: list[str] = []
        total = 1
        while len(texts) < total:
            item = self._table.get(keys.paper(tenant_id, job_id, page, len(texts)))
            if item is None or item.expires_at is None or item.expires_at <= now:
                return None
            total = int(item.row or 1)
            texts.append(item.doc or "")
        return codec.decode(zlib.decompress(b64decode("".join(texts))).decode())

    def drop(self, tenant_id: str, job_id: str, pages: str) -> None:
        """Delete the pages whose names begin with *pages*: 1 query, 1 delete for each part."""
        place, name = keys.papers(tenant_id, job_id, pages)
        # Consistent, or one of a moment ago would outlive the job's end.
        found = self._table.query(place, self._item.SK.startswith(name), consistent=True)
        self._table.delete_many([(item.PK, item.SK) for item in found])


def job_item(kind: type[Item], job: Job) -> Item:
    """Return the item of *job*; what may be large is not in its `row`."""
    stored: dict[str, Any] = {}
    for each in fields(job):
        value = getattr(job, each.name)
        if value is not None:
            stored[each.name] = iso(value) if each.name in _INSTANTS else value
    doc = {name: stored.pop(name) for name in _LARGE if name in stored}
    return kind(
        keys.jobs_partition(job.tenant_id),
        job.id,
        state=job.state,
        queue=REPORTS if job.kind == REPORT else None,
        expires_at=job.expires_at,
        version=job.version,
        row=codec.encode(stored),
        doc=codec.encode(doc),
    )


def _job_of(item: Item | Found) -> Job:
    stored = codec.decode(item.row or "") | codec.decode(item.doc or "{}")
    instants = {name: datetime.fromisoformat(stored[name]) for name in _INSTANTS if name in stored}
    place = tuple(stored["place"]) if "place" in stored else None
    return Job(**stored | instants | {"place": place})
