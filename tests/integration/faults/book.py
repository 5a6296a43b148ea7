"""What the actions do, once more in plain Python: dicts, fractions, one thing after the other."""

from __future__ import annotations

import copy
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.unit import oracle

from vitals.domain.model import DEFAULT_MODEL

Data = Mapping[str, Any]
SIGNALS = ("logins", "adoption", "tickets", "nps", "csat", "growth")
PLAIN = ("tier", "manager", "renewal_date", "sentiment", "note")
LOW = ("critical", "at_risk")
TRASH = timedelta(days=30)
TICK = timedelta(milliseconds=1)


class Refused(Exception):  # noqa: N818 - an answer, not an accident
    """The request is answered with a problem."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.status, self.code = status, code


@dataclass
class Entry:
    """One customer: its facts, and what is told of it beside them."""

    id: str
    created_at: datetime
    updated_at: datetime
    version: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    signals: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    received: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    changes: list[tuple[int, datetime, str]] = field(default_factory=list)

    @property
    def deleted_at(self) -> datetime | None:
        return self.facts.get("deleted_at")

    def override(self, now: datetime) -> dict[str, Any] | None:
        """The score set by hand, if it stands at *now*."""
        override: dict[str, Any] | None = self.facts.get("override")
        ended = override and override["expires_at"] and override["expires_at"] <= now
        return None if ended else override

    def computed(self, now: datetime) -> oracle.Scored:
        values: dict[str, Any] = {
            name: value if isinstance(value, str) else Fraction(str(value))
            for name, value in self.signals.items()
        }
        contact: date | None = self.facts.get("last_contact_on")
        if contact is not None:
            values["days"] = max(0, (now.date() - contact).days)
        return oracle.score(DEFAULT_MODEL, None, values)

    def published(self, now: datetime) -> tuple[int | None, str]:
        override = self.override(now)
        value = override["value"] if override else self.computed(now).value
        return value, oracle.band(DEFAULT_MODEL, value)


@dataclass
class Done:
    """What a write did."""

    entry: Entry
    created: bool = False
    unchanged: bool = False
    cleared: bool = False


@dataclass
class Book:
    """One tenant."""

    entries: dict[str, Entry] = field(default_factory=dict)
    purged: set[str] = field(default_factory=set)
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
        if name in ("name", "external_id"):
            self._name(entry, name, data["value"], now)
        guard(data, before)
        given = {} if name in ("name", "external_id") else {name: data["value"]}
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
        self.purged.add(entry.id)

    def _new(self, data: Data, now: datetime) -> Entry:
        if "id" in data:
            raise Refused(404, "customer_not_found")
        if "name" not in data:
            raise Refused(400, "validation_error")
        self.made += 1
        entry = Entry(f"new {self.made}", now, now)
        self.entries[entry.id] = entry
        entry.facts |= {"lifecycle": "active", "lifecycle_auto": False, "tags": []}
        for kind in ("name", "external_id"):
            if kind in data:
                self._name(entry, kind, data[kind], now)
        return entry

    def _identify(self, entry: Entry, data: Data, now: datetime) -> None:
        """Take over the name and external_id of an upsert that found *entry*."""
        known = entry.facts.get("external_id")
        by_external_id = "external_id" in data and data["external_id"] == known
        if "name" in data and ("id" in data or by_external_id):
            self._name(entry, "name", data["name"], now)
        elif "external_id" in data and known is not None and not by_external_id:
            # As an id says which customer is meant, it may bring a new external_id.
            if "id" not in data:
                raise Refused(409, "duplicate_name")
        if "external_id" in data:
            self._name(entry, "external_id", data["external_id"], now)

    def _name(self, entry: Entry, kind: str, value: str | None, now: datetime) -> None:
        """Give *entry* a name or external_id that is its alone; expired trash gives way."""
        for other in list(self.entries.values()):
            own = other.facts.get(kind)
            if value is None or own is None or other is entry or not same(kind, own, value):
                continue
            if other in list(self.alive(now)):
                raise Refused(409, f"duplicate_{kind}")
            self.purge(other)
        put(entry.facts, kind, value)

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
        tags(entry.facts, data)
        merge(entry.custom, data.get("custom_fields", {}))
        overridden(entry, before, data, now, key_id)
        return settled(entry, before, now, automatic="lifecycle" not in data, recorded=recorded)


def settled(
    entry: Entry,
    before: Entry | None,
    now: datetime,
    *,
    automatic: bool,
    recorded: bool = False,
) -> Done:
    """Publish the score, move the stage, and make a version if anything differs."""
    at = now if before is None else max(now, before.updated_at + TICK)
    old: Data = before.facts if before else {}
    score, status = entry.published(at)
    if automatic:
        was_low, is_low = old.get("status") in LOW, status in LOW
        if entry.facts["lifecycle"] == "active" and is_low and not was_low:
            entry.facts |= {"lifecycle": "atrisk", "lifecycle_auto": True}
        elif entry.facts["lifecycle_auto"] and not is_low and score is not None:
            entry.facts |= {"lifecycle": "active", "lifecycle_auto": False}
    if before is None or (old.get("score"), old["status"]) != (score, status):
        entry.facts["score_changed_at"] = at
    put(entry.facts, "score", score)
    entry.facts["status"] = status
    told = [before and (before.facts, before.signals, before.custom)]
    unchanged = told == [(entry.facts, entry.signals, entry.custom)] and not recorded
    if not unchanged:
        entry.version += 1
        entry.updated_at = at
        entry.changes.append((entry.version, at, status))
    cleared = before is not None and before.override(now) and "override" not in entry.facts
    return Done(entry, before is None, unchanged, bool(cleared))


def guard(data: Data, before: Entry | None) -> None:
    if data.get("if_version") is not None and data["if_version"] != (before.version if before else 0):
        raise Refused(409, "version_conflict")


def same(kind: str, one: str, other: str) -> bool:
    return one == other if kind != "name" else folded(one) == folded(other)


def folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def put(place: dict[str, Any], name: str, value: Any) -> None:
    """Set what has a value, forget what has none."""
    if value is None:
        place.pop(name, None)
    else:
        place[name] = value


def revenue(facts: dict[str, Any], data: Data) -> None:
    """One amount gives the other; two given stand as they are; what is known already is no news."""
    given = {name: data[name] for name in ("mrr", "arr") if name in data}
    if len(given) == 1 and all(facts.get(name) == value for name, value in given.items()):
        return
    if given.get("mrr") is not None and given.get("arr") is not None:
        facts |= given | {"revenue_basis": "both"}
    elif given.get("mrr") is not None:
        facts |= {"mrr": given["mrr"], "arr": cents(given["mrr"] * 12), "revenue_basis": "mrr"}
    elif given.get("arr") is not None:
        facts |= {"arr": given["arr"], "mrr": cents(given["arr"] / 12), "revenue_basis": "arr"}
    elif len(given) == 1 and facts.get("revenue_basis") == "both":
        [cleared] = given
        facts.pop(cleared, None)
        facts["revenue_basis"] = "arr" if cleared == "mrr" else "mrr"
    elif given:
        for name in ("mrr", "arr", "revenue_basis"):
            facts.pop(name, None)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def tags(facts: dict[str, Any], data: Data) -> None:
    kept: list[str] = list(data["tags"] or []) if "tags" in data else list(facts["tags"])
    for tag in data.get("add_tags", []):
        if tag.casefold() not in [each.casefold() for each in kept]:
            kept.append(tag)
    gone = [tag.casefold() for tag in data.get("remove_tags", [])]
    facts["tags"] = [tag for tag in kept if tag.casefold() not in gone]


def merge(target: dict[str, Any], patch: Data) -> None:
    """RFC 7396."""
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, dict):
            if not isinstance(target.get(name), dict):
                target[name] = {}
            merge(target[name], value)
        else:
            target[name] = value


def overridden(
    entry: Entry, before: Entry | None, data: Data, now: datetime, key_id: str
) -> None:
    """A set score stands until it is lifted, ends, or (unless it sticks) a signal moves."""
    stands = entry.facts.get("override")
    if data.get("score") is not None:
        asked = {
            "value": data["score"],
            "reason": data.get("override_reason"),
            "expires_at": data.get("override_expires_at"),
            "sticky": data.get("override_sticky", False),
        }
        if stands is None or {name: stands[name] for name in asked} != asked:
            entry.facts["override"] = {**asked, "set_by": key_id, "set_at": now}
        return
    if stands is None:
        return
    was = before and (before.signals, before.facts.get("last_contact_on"))
    moved = (entry.signals, entry.facts.get("last_contact_on")) != was
    ended = entry.override(now) is None
    if "score" in data or ended or (moved and not stands["sticky"]):
        del entry.facts["override"]
