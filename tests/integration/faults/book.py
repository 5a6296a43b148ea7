"""What the actions do, once more in plain Python: dicts, fractions, one thing after the other."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.integration.faults.facts import (
    Data,
    Done,
    Entry,
    Refused,
    guard,
    merge,
    overridden,
    put,
    revenue,
    same,
    settled,
    tags,
)

NAMES = ("name", "external_id", "email_domain")
"""What one customer alone may have."""
SIGNALS = ("logins", "adoption", "tickets", "nps", "csat", "growth")
PLAIN = ("tier", "manager", "renewal_date", "sentiment", "note")
DAY = timedelta(days=1)
TRASH = 30 * DAY


@dataclass
class Book:
    """One tenant."""

    entries: dict[str, Entry] = field(default_factory=dict)
    purged: dict[str, None] = field(default_factory=dict)
    made: int = 0

    def copy(self) -> Book:
        return copy.deepcopy(self)

    def rename(self, old: str, new: str) -> None:
        """Give an entry the id that the product gave it."""
        if old != new:
            self.entries[new] = self.entries.pop(old)
            self.entries[new].id = new

    def alive(self, now: datetime) -> Iterator[Entry]:
        """Every customer that can be found, in the trash or not."""
        for entry in self.entries.values():
            if entry.deleted_at is None or entry.deleted_at + TRASH > now:
                yield entry

    def find(self, data: Data, now: datetime) -> Entry | None:
        """By id, else external_id, else name."""
        for kind in ("id", "external_id", "name"):
            for entry in self.alive(now):
                own = entry.id if kind == "id" else entry.facts.get(kind)
                if kind in data and own is not None and same(kind, own, data[kind]):
                    return entry
            if kind == "id" and "id" in data:
                return None
        return None

    def require(self, data: Data, now: datetime) -> Entry:
        entry = self.find(data, now)
        if entry is None:
            raise Refused(404, "customer_not_found")
        return entry

    def require_live(self, data: Data, now: datetime) -> Entry:
        entry = self.require(data, now)
        if entry.deleted_at is not None:
            raise Refused(409, "in_trash")
        return entry

    # The actions.

    def upsert_account(self, data: Data, now: datetime, by: tuple[str, str]) -> Done:
        if data.get("override_expires_at", now + DAY) <= now:
            raise Refused(400, "validation_error")
        entry = self.find(data, now)
        before = copy.deepcopy(entry)
        if entry is None:
            entry = self._new(data, now)
        else:
            restoring = entry.deleted_at is not None
            if restoring and data.get("on_deleted") != "restore":
                raise Refused(409, "in_trash")
            if data.get("create_only") and not restoring:
                raise Refused(409, "already_exists")
            entry.facts.pop("deleted_at", None)
            self._identify(entry, data, now)
        guard(data, before)
        return self._written(entry, before, data, now, by)

    def update_health(self, data: Data, now: datetime, by: tuple[str, str]) -> Done:
        entry = self.require_live(data, now)
        before = copy.deepcopy(entry)
        name = data["field"]
        if name in NAMES:
            self._name(entry, name, data["value"], now)
        guard(data, before)
        given = {} if name in NAMES else {name: data["value"]}
        return self._written(entry, before, given, now, by)

    def log_contact(self, data: Data, now: datetime, by: tuple[str, str]) -> Done:
        entry = self.require_live(data, now)
        before = copy.deepcopy(entry)
        guard(data, before)
        day = max(now.date(), entry.facts.get("last_contact_on") or now.date())
        return self._written(entry, before, {"last_contact_date": day}, now, by, recorded=True)

    def score_customer(self, data: Data, now: datetime, by: tuple[str, str]) -> Done:  # noqa: ARG002
        entry = self.require_live(data, now)
        before = copy.deepcopy(entry)
        guard(data, before)
        entry.facts.pop("override", None)
        return settled(entry, before, now, automatic=True)

    def delete_customer(self, data: Data, now: datetime, by: tuple[str, str]) -> Done:  # noqa: ARG002
        if data.get("hard"):
            if data.get("id") in self.purged:
                return Done(Entry(data["id"], now, now), unchanged=True)
            entry = self.require(data, now)
            guard(data, entry)
            self.purge(entry)
            return Done(entry)
        entry = self.require(data, now)
        before = copy.deepcopy(entry)
        guard(data, before)
        if entry.deleted_at is not None:
            return Done(entry, unchanged=True)
        entry.facts["deleted_at"] = now
        return settled(entry, before, now, automatic=False)

    def restore_customer(self, data: Data, now: datetime, by: tuple[str, str]) -> Done:  # noqa: ARG002
        entry = self.require(data, now)
        before = copy.deepcopy(entry)
        guard(data, before)
        if entry.deleted_at is None:
            return Done(entry, unchanged=True)
        del entry.facts["deleted_at"]
        return settled(entry, before, now, automatic=True)

    # Their parts.

    def purge(self, entry: Entry) -> None:
        del self.entries[entry.id]
        self.purged[entry.id] = None

    def _new(self, data: Data, now: datetime) -> Entry:
        if "id" in data:
            raise Refused(404, "customer_not_found")
        if "name" not in data:
            raise Refused(400, "validation_error")
        self.made += 1
        entry = Entry(f"new {self.made}", now, now)
        self.entries[entry.id] = entry
        entry.facts |= {"lifecycle": "active", "lifecycle_auto": False, "tags": []}
        for kind in NAMES:
            if kind in data:
                self._name(entry, kind, data[kind], now)
        return entry

    def _identify(self, entry: Entry, data: Data, now: datetime) -> None:
        """Take over the names of an upsert that found *entry*."""
        known = entry.facts.get("external_id")
        by_external_id = "external_id" in data and data["external_id"] == known
        if "name" in data and ("id" in data or by_external_id):
            self._name(entry, "name", data["name"], now)
        elif (
            known is not None and "external_id" in data and "id" not in data and not by_external_id
        ):
            raise Refused(409, "duplicate_name")
        for kind in ("external_id", "email_domain"):
            if kind in data:
                self._name(entry, kind, data[kind], now)

    def _name(self, entry: Entry, kind: str, value: str | None, now: datetime) -> None:
        """Give *entry* a name of one of its kinds that is its alone; expired trash gives way."""
        for other in list(self.entries.values()):
            own = other.facts.get(kind)
            if value is None or own is None or other is entry or not same(kind, own, value):
                continue
            if other in list(self.alive(now)):
                raise Refused(409, f"duplicate_{kind}")
            self.purge(other)
        put(entry.facts, kind, value and value.strip())

    def _written(
        self,
        entry: Entry,
        before: Entry | None,
        data: Data,
        now: datetime,
        by: tuple[str, str],
        *,
        recorded: bool = False,
    ) -> Done:
        key_id, source = by
        for name in SIGNALS:
            if name in data:
                put(entry.signals, name, data[name])
                entry.received[name] = (now, source)
        if "days" in data or "last_contact_date" in data:
            day = data.get("last_contact_date")
            if "last_contact_date" not in data and data["days"] is not None:
                day = now.date() - timedelta(days=data["days"])
            put(entry.facts, "last_contact_on", day)
            entry.received["days"] = (now, source)
        for name in PLAIN:
            if name in data:
                put(entry.facts, name, data[name])
        revenue(entry.facts, data)
        if "lifecycle" in data:
            entry.facts["lifecycle"] = data["lifecycle"] or "active"
            entry.facts["lifecycle_auto"] = False
            left = entry.facts.get("churned_on") or now.date()
            put(entry.facts, "churned_on", left if data["lifecycle"] == "churned" else None)
        tags(entry.facts, data)
        merge(entry.custom, data.get("custom_fields", {}))
        overridden(entry, before, data, now, key_id)
        return settled(entry, before, now, automatic="lifecycle" not in data, recorded=recorded)
