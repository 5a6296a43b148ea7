"""What answers show of a customer in the book."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.integration.faults.book import NAMES, PLAIN, SIGNALS, TRASH, Book
from tests.integration.faults.facts import Entry, folded
from tests.integration.faults.sending import spelled
from tests.unit import oracle

from vitals.domain.instants import iso

AMOUNTS = ("mrr", "arr")


def assert_shown(view: Mapping[str, Any], entry: Entry, now: datetime, *, whole: bool) -> None:
    """*view* is *entry* as of *now*; a list leaves out what only a *whole* read holds."""
    facts = entry.facts
    left_out = () if whole else ("note",)
    for name in PLAIN:
        if name not in left_out:
            assert view[name] == spelled(facts.get(name)), name
    for name in (*NAMES, "revenue_basis", "lifecycle", "lifecycle_auto", "tags"):
        assert view[name] == facts.get(name), name
    for name in ("last_contact_on", "churned_on", "deleted_at", "score_changed_at"):
        assert view[name] == spelled(facts.get(name)), name
    for name in AMOUNTS:
        shown = view[name]
        assert (None if shown is None else Decimal(str(shown))) == facts.get(name), name
    for name in SIGNALS:
        assert view[name] == entry.signals.get(name), name
    contact: date | None = facts.get("last_contact_on")
    assert view["days"] == (None if contact is None else max(0, (now.date() - contact).days))
    assert (view["version"], view["dedupe_id"]) == (entry.version, f"{entry.id}:{entry.version}")
    assert view["updated_at"] == iso(entry.updated_at)
    assert view["created_at"] == iso(entry.created_at)
    assert view["evaluated_at"] == iso(now)
    assert_scored(view, entry, now, whole=whole)
    if whole:
        assert view["custom_fields"] == entry.custom
        assert view["signals_received"] == {
            name: {"at": iso(at), "source": source} for name, (at, source) in entry.received.items()
        }


def assert_scored(view: Mapping[str, Any], entry: Entry, now: datetime, *, whole: bool) -> None:
    computed, override = entry.computed(now), entry.override(now)
    assert (view["score"], view["status"]) == entry.published(now)
    assert (view["computed_score"], view["computed_status"]) == (computed.value, computed.band)
    exact = None if computed.exact is None else oracle.four_decimals(computed.exact)
    shown = view["computed_score_exact"]
    assert (None if shown is None else Fraction(str(shown))) == exact
    assert Fraction(str(view["coverage"])) == oracle.four_decimals(computed.coverage)
    expected = spelled(override)
    if expected is not None and not whole:
        expected["reason"] = None
    assert view["override"] == expected
    parts = [each["contribution"] for each in (*view["contributions"], *view["adjustments"])]
    if view["score_exact"] is not None:
        assert sum(Fraction(str(part)) for part in parts) == Fraction(str(view["score_exact"]))


def listed(book: Book, now: datetime, query: Mapping[str, Any], sort: str) -> Iterator[Entry]:
    """The customers that a list shows, in ascending order, those without a value behind."""
    values: dict[str, Callable[[Entry], Any]] = {
        "updated_at": lambda entry: entry.updated_at,
        "created_at": lambda entry: entry.created_at,
        "name": lambda entry: folded(entry.facts["name"]),
        "score": lambda entry: entry.published(now)[0],
        "mrr": lambda entry: entry.facts.get("mrr"),
        "arr": lambda entry: entry.facts.get("arr"),
    }
    value = values[sort]
    found = [entry for entry in book.alive(now) if matches(entry, now, query)]
    known = [entry for entry in found if value(entry) is not None]
    descending = query.get("order") == "desc"
    yield from sorted(known, key=lambda entry: (value(entry), entry.id), reverse=descending)
    unknown = [entry for entry in found if value(entry) is None]
    yield from sorted(unknown, key=lambda entry: entry.id, reverse=descending)


def matches(entry: Entry, now: datetime, query: Mapping[str, Any]) -> bool:
    facts = entry.facts
    own = {
        "status": {entry.published(now)[1]},
        "lifecycle": {facts["lifecycle"]},
        "tier": {facts.get("tier")},
        "manager": {facts.get("manager", "").casefold()},
        "tag": {tag.casefold() for tag in facts["tags"]},
    }
    asked = {
        name: {each.casefold() for each in values} for name, values in query.items() if name in own
    }
    shown = query.get("include_deleted") or entry.deleted_at is None
    return bool(shown) and all(own[name] & values for name, values in asked.items())


def is_over(entry: Entry, now: datetime) -> bool:
    """Whether its time in the trash has run out."""
    return entry.deleted_at is not None and entry.deleted_at + TRASH <= now
