"""Groups of accounts in figures: what a tag, a tier, a stage or a manager adds up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from vitals.domain.model import STATUSES, UNSCORED
from vitals.domain.numbers import Number, published_ratio
from vitals.domain.reports.accounts import percent
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    AVERAGE,
    COUNT,
    MONEY,
    PERCENT,
    Column,
    Plain,
    Series,
)
from vitals.domain.reports.movement import difference


@dataclass(slots=True)
class Group:
    """Some accounts in figures.

    *both* were scored at the period's beginning and are now: *total_then* and *total_both* are the
    sums of their scores then and now, like for like.
    """

    customers: int = 0
    mrr: Number = 0
    bands: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    scored: int = 0
    total: int = 0
    at_risk: int = 0
    at_risk_mrr: Number = 0
    both: int = 0
    total_then: int = 0
    total_both: int = 0
    improved: int = 0
    declined: int = 0
    declined_mrr: Number = 0

    def count(self, account: Account) -> None:
        """Count one more."""
        mrr, score, was = account.mrr, account.score, account.was
        self.customers += 1
        self.mrr += mrr
        self.bands[account.status] += 1
        if account.at_risk:
            self.at_risk += 1
            self.at_risk_mrr += mrr
        if score is None:
            return
        self.scored += 1
        self.total += score
        if was is None:
            return
        self.both += 1
        self.total_then += was
        self.total_both += score
        if score > was:
            self.improved += 1
        elif score < was:
            self.declined += 1
            self.declined_mrr += mrr

    def include(self, others: Group) -> None:
        """Count those as well whom *others* count."""
        self.customers += others.customers
        self.mrr += others.mrr
        for band, count in others.bands.items():
            self.bands[band] += count
        self.scored += others.scored
        self.total += others.total
        self.at_risk += others.at_risk
        self.at_risk_mrr += others.at_risk_mrr
        self.both += others.both
        self.total_then += others.total_then
        self.total_both += others.total_both
        self.improved += others.improved
        self.declined += others.declined
        self.declined_mrr += others.declined_mrr

    @property
    def average(self) -> Number | None:
        """The mean of the scores, to four decimals."""
        return published_ratio(self.total, self.scored) if self.scored else None

    @property
    def trend(self) -> dict[str, Any] | None:
        """How the mean of the same accounts moved; None if none was scored both times."""
        if not self.both:
            return None
        then = published_ratio(self.total_then, self.both)
        now = published_ratio(self.total_both, self.both)
        return {
            "accounts": self.both,
            "then": then,
            "now": now,
            "change": difference(now, then),
            "improved": self.improved,
            "declined": self.declined,
        }

    def shown(self) -> dict[str, Any]:
        """Return the figures by name."""
        return {
            "accounts": self.customers,
            "mrr": self.mrr,
            "scored": self.scored,
            "average_score": self.average,
            "bands": dict(self.bands),
            "at_risk": self.at_risk,
            "at_risk_percent": percent(self.at_risk, self.customers),
            "at_risk_mrr": self.at_risk_mrr,
            "trend": self.trend,
        }


GROUP_COLUMNS: Final = (
    Column("accounts", "Accounts", COUNT),
    Column("mrr", "MRR", MONEY),
    Column("average_score", "Average score", AVERAGE),
    Column("at_risk", "At risk", COUNT),
    Column("at_risk_percent", "At risk, %", PERCENT),
    Column("at_risk_mrr", "MRR at risk", MONEY),
)
"""What a table says of a group."""


def group_fields(row: Mapping[str, Any]) -> tuple[Plain, ...]:
    """Return GROUP_COLUMNS of a group as shown."""
    return tuple(row[column.name] for column in GROUP_COLUMNS)


class Spellings:
    """Names that differ by case alone are one: the spelling that most accounts have."""

    def __init__(self) -> None:
        self._by_fold: dict[str, Counter[str]] = {}

    def take(self, name: str, count: int = 1) -> str:
        """Note that so many accounts spell it *name*; return what all its spellings share."""
        fold = name.casefold()
        self._by_fold.setdefault(fold, Counter())[name] += count
        return fold

    def of(self, fold: str) -> str:
        """Return the spelling of *fold*: of equally many, the first in the alphabet."""
        counts = self._by_fold[fold]
        return min(counts, key=lambda name: (-counts[name], name))


def spelled(counts: Mapping[str, int]) -> dict[str, str]:
    """Return the spelling of each fold of the names that so many accounts have."""
    spellings = Spellings()
    folds = {spellings.take(name, count) for name, count in counts.items()}
    return {fold: spellings.of(fold) for fold in folds}


def spelled_filters(book: Book) -> dict[str, tuple[str, ...]]:
    """Return the filters of *book* that are set, managers and tags as most accounts spell them.

    What no account has is as it was asked for, case-folded.
    """
    asked = book.filters.shown()
    found = {"manager": Counter[str](), "tag": Counter[str]()}
    for account in book.accounts if found.keys() & asked.keys() else ():
        found["manager"][account.customer.manager or ""] += 1
        found["tag"].update(account.customer.tags)
    for part, counts in found.items():
        if part in asked:
            spelling = spelled(counts)
            asked[part] = tuple(spelling.get(fold, fold) for fold in asked[part])
    return asked


BAND_LABELS: Final = {
    "critical": "Critical",
    "at_risk": "At risk",
    "watch": "Watch",
    "healthy": "Healthy",
    "expansion": "Expansion",
    UNSCORED: "Unscored",
}


def band_series(rows: Sequence[Mapping[str, Any]]) -> tuple[Series, ...]:
    """Return how many accounts of each of *rows*, groups as shown, are in each band."""
    return tuple(
        Series(name=band, label=label, values=tuple(row["bands"][band] for row in rows), band=band)
        for band, label in BAND_LABELS.items()
    )
