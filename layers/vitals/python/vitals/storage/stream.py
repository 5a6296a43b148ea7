"""Records of the table's stream: whose they are, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitals.domain.access import Tenant
from vitals.domain.customer import Customer
from vitals.domain.delivery import PENDING
from vitals.domain.job import QUEUED
from vitals.storage import codec
from vitals.storage.jobs import REPORTS

Image = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the item's keys, and its images (None: there was, or is, no such item)."""

    partition: str
    sort: str
    old: Image | None
    new: Image | None

    @property
    def tenant_id(self) -> str:
        """Return the tenant whose item it is."""
        return self.partition.split("#")[1]

    @property
    def customer_id(self) -> str | None:
        """Return the customer that the item is; None for other items."""
        return self.sort[2:] if self.sort.startswith("C#") else None

    @property
    def model_version(self) -> int | None:
        """Return the version of the model that the item newly is; None for other items."""
        is_new = self.sort.startswith("MODEL#") and self.old is None
        return int(self.sort.removeprefix("MODEL#")) if is_new and self.new else None

    @property
    def delivery(self) -> tuple[str, str] | None:
        """Return the id of a delivery that became pending, and what is its own of this once."""
        _, _, owner = self.partition.partition("#DLV#")
        if not owner or _text(self.new, "state") != PENDING or _text(self.old, "state") == PENDING:
            return None
        version = (self.new or {}).get("version", {}).get("N", "")
        return f"{owner}_{self.sort}", f"{owner}_{self.sort}-{version}"

    @property
    def report_job(self) -> str | None:
        """Return the id of a report job that was queued; None for other items."""
        is_queued = _text(self.new, "state") == QUEUED and _text(self.new, "queue") == REPORTS
        return self.sort if is_queued else None

    @property
    def unique(self) -> str:
        """Return what tells this writing of the item from every other."""
        return f"{self.sort}-{(self.new or {}).get('version', {}).get('N', '')}"

    def customer(self, tenant: Tenant, image: Image | None) -> Customer | None:
        """Return the customer that an *image* shows; None for none, and for a purged one."""
        row = _text(image, "row")
        if row is None:
            return None
        updated_at = (_text(image, "index_sk") or "").partition("#")[0]
        return codec.customer_of(tenant.id, self.sort[2:], updated_at, row, _text(image, "doc"))


def record_of(raw: Mapping[str, Any]) -> Record:
    """Return a record as Lambda hands it in."""
    found = raw["dynamodb"]
    keys = found["Keys"]
    return Record(keys["PK"]["S"], keys["SK"]["S"], found.get("OldImage"), found.get("NewImage"))


def _text(image: Image | None, name: str) -> str | None:
    return (image or {}).get(name, {}).get("S")
