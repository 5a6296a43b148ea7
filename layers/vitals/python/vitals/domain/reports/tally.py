"""A portfolio in one pass: everything that is counted over the accounts of a book."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from vitals.domain.model import LIFECYCLES, STATUSES, TIERS
from vitals.domain.numbers import Number, published_ratio
from vitals.domain.reports.accounts import momentum
from vitals.domain.reports.book import Account, Book
from vitals.domain.snapshot import WITHOUT

OVERDUE: Final = "overdue"
PIPELINE: Final = (("0-30", 30), ("31-60", 60), ("61-90", 90))
"""The windows of the renewal pipeline, and the last day of each (IQ-180)."""
WINDOWS: Final = (OVERDUE, *(name for name, _ in PIPELINE))
MOMENTUM: Final = ("rising", "steady", "falling", "unknown")


@dataclass(slots=True)
class Bucket:
    """Some accounts in figures: how many, what they pay, how they score, who is at risk."""

    customers: int = 0
    mrr: Number = 0
    scored: int = 0
    total: int = 0
    at_risk: int = 0
    at_risk_mrr: Number = 0

    def add(self, account: Account, mrr: Number) -> None:
        """Count *account*, which pays *mrr*."""
        self.customers += 1
        self.mrr += mrr
        if account.score is not None:
            self.scored += 1
            self.total += account.score
        if account.at_risk:
            self.at_risk += 1
            self.at_risk_mrr += mrr

    def include(self, other: Bucket) -> None:
        """Count those as well whom *other* counts."""
        self.customers += other.customers
        self.mrr += other.mrr
        self.scored += other.scored
        self.total += other.total
        self.at_risk += other.at_risk
        self.at_risk_mrr += other.at_risk_mrr

    @property
    def average(self) -> Number | None:
        """The mean of the scores, to four decimals."""
        return published_ratio(self.total, self.scored) if self.scored else None


@dataclass(slots=True)
class Tally:
    """The accounts of a book by tier and band, stage, renewal window and momentum.

    *heat* are (tier, band), with "" for no tier; *expansion* is what *expanding* accounts may add.
    *lifecycles* count those who churned as well, who are in nothing else.
    """

    heat: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    lifecycles: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LIFECYCLES, 0))
    renewals: dict[str, Bucket] = field(
        default_factory=lambda: {window: Bucket() for window in WINDOWS}
    )
    momentum: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MOMENTUM, 0))
    expanding: int = 0
    expansion: Number = 0

    @property
    def tiers(self) -> dict[str, Bucket]:
        """The figures of each tier, and of those without one if there are any."""
        found = {tier: Bucket() for tier in TIERS}
        for (tier, _), bucket in self.heat.items():
            found.setdefault(tier, Bucket()).include(bucket)
        return found

    @property
    def bands(self) -> dict[str, Bucket]:
        """The figures of each band, unscored ones last."""
        found = {band: Bucket() for band in STATUSES}
        for (_, band), bucket in self.heat.items():
            found[band].include(bucket)
        return found

    @property
    def upcoming(self) -> Bucket:
        """The figures of those who renew within the pipeline's windows."""
        found = Bucket()
        for window, _ in PIPELINE:
            found.include(self.renewals[window])
        return found


def tally(book: Book) -> Tally:
    """Return the accounts of *book*, counted."""
    found = Tally()
    for account in book.accounts:
        customer, mrr = account.customer, account.mrr
        cell = (customer.tier or WITHOUT, account.status)
        bucket = found.heat.get(cell)
        if bucket is None:
            bucket = found.heat[cell] = Bucket()
        bucket.add(account, mrr)
        found.lifecycles[customer.lifecycle] += 1
        found.momentum[momentum(account)] += 1
        window = renewal_window(account.renewal_in)
        if window is not None:
            found.renewals[window].add(account, mrr)
        estimate = account.expansion
        if estimate is not None:
            found.expanding += 1
            found.expansion += estimate
    for account in book.churned:
        found.lifecycles[account.customer.lifecycle] += 1
    return found


def renewal_window(days: int | None) -> str | None:
    """Return the window of a renewal in so many *days*; None without one, or beyond the last."""
    if days is None:
        return None
    if days < 0:
        return OVERDUE
    return next((name for name, last in PIPELINE if days <= last), None)
