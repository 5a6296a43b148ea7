"""What becomes of a customer's facts, once more in plain Python: the rules behind the book."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.unit import oracle

from vitals.domain.model_document import DEFAULT_MODEL

Data = Mapping[str, Any]
LOW = ("critical", "at_risk")
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
    if data.get("if_version") is not None and data["if_version"] != (
        before.version if before else 0
    ):
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


def overridden(entry: Entry, before: Entry | None, data: Data, now: datetime, key_id: str) -> None:
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
