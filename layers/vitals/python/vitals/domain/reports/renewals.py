"""Renewals by month, what of them is forecast how, and the risks that they carry (LU-066)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from vitals.domain.instants import months_after
from vitals.domain.model import AT_RISK_BANDS, UNSCORED
from vitals.domain.numbers import Number
from vitals.domain.reports.accounts import (
    FALLING,
    OVERDUE,
    is_low_confidence,
    low_first,
    momentum,
)
from vitals.domain.reports.book import Account, Book

COMMIT, BEST_CASE, RISKY, UNKNOWN = "commit", "best_case", "at_risk", "unknown"
CATEGORIES: Final = (COMMIT, BEST_CASE, RISKY, UNKNOWN)
"""Healthy and above; Watch; Critical and At risk; no score."""
MONTHS: Final = 12
"""So many months are looked ahead, this one included, if nobody says otherwise."""
MOST_MONTHS: Final = 120


@dataclass(slots=True)
class Renewing:
    """Some renewals: how many, what they pay, and both by forecast category."""

    count: int = 0
    mrr: Number = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CATEGORIES, 0))
    mrrs: dict[str, Number] = field(default_factory=lambda: dict.fromkeys(CATEGORIES, 0))

    def add(self, mrr: Number, category: str) -> None:
        """Count one renewal of *category* that pays *mrr*."""
        self.count += 1
        self.mrr += mrr
        self.counts[category] += 1
        self.mrrs[category] += mrr

    def shown(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "renewals": self.count,
            "mrr": self.mrr,
            "categories": {
                name: {"renewals": self.counts[name], "mrr": self.mrrs[name]} for name in CATEGORIES
            },
        }


@dataclass(frozen=True, slots=True)
class Renewal:
    """One account that renews, on a day."""

    account: Account
    day: date
    category: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The renewals from *first* to *last*, both included, by the first day of their month.

    *overdue* are those before today, which are in no month; *total* is the sum of the months.
    *before*, *later* and *undated* count who is in neither: a renewal between today and *first*,
    one after *last*, none at all. *renewals* are the overdue ones and those of the months, by day.
    """

    first: date
    last: date
    months: dict[date, Renewing]
    total: Renewing = field(default_factory=Renewing)
    overdue: Renewing = field(default_factory=Renewing)
    before: Renewing = field(default_factory=Renewing)
    later: Renewing = field(default_factory=Renewing)
    undated: Renewing = field(default_factory=Renewing)
    renewals: list[Renewal] = field(default_factory=list)


def category(status: str) -> str:
    """Return the forecast category of a customer in the band *status*."""
    if status == UNSCORED:
        return UNKNOWN
    if status in AT_RISK_BANDS:
        return RISKY
    return BEST_CASE if status == "watch" else COMMIT


def flags(account: Account) -> tuple[str, ...]:
    """Return what makes the renewal of *account* uncertain, as words of ours.

    `quiet` is no contact for longer than the model's `quiet_after`.
    """
    standing = account.standing
    days = account.renewal_in
    told = (
        ("renewal_overdue", days is not None and days < 0),
        ("at_risk", account.at_risk),
        ("unscored", account.score is None),
        ("falling", momentum(account) == FALLING),
        ("contact_overdue", account.cadence == OVERDUE),
        ("quiet", standing.quiet_days > standing.model.quiet_after),
        ("low_confidence", is_low_confidence(account)),
    )
    return tuple(word for word, holds in told if holds)


def pipeline(
    book: Book,
    first: date | None = None,
    last: date | None = None,
    categories: frozenset[str] = frozenset(),
) -> Pipeline:
    """Return the renewals of *book* from *first* to *last*, of *categories* if there are any.

    By default from today to the end of the twelfth calendar month, this one being the first; for a
    *first* beyond that, the month of *first* is. A day before today is today, and no more than
    MOST_MONTHS are looked ahead: the pipeline says from when to when it is. There is one entry for
    each month between the two.
    """
    first = max(first or book.today, book.today)
    ahead = _end(book.today, MONTHS)
    last = last or (ahead if first <= ahead else _end(first, MONTHS))
    last = min(last, _end(first, MOST_MONTHS))
    found = Pipeline(first, last, {month: Renewing() for month in _months(first, last)})
    for account in book.accounts:
        own = category(account.status)
        if categories and own not in categories:
            continue
        mrr, day = account.mrr, account.customer.renewal_date
        if day is None:
            found.undated.add(mrr, own)
        elif day < book.today:
            found.overdue.add(mrr, own)
            found.renewals.append(Renewal(account, day, own, flags(account)))
        elif day < first:
            found.before.add(mrr, own)
        elif day > last:
            found.later.add(mrr, own)
        else:
            found.months[day.replace(day=1)].add(mrr, own)
            found.total.add(mrr, own)
            found.renewals.append(Renewal(account, day, own, flags(account)))
    found.renewals.sort(key=lambda renewal: (renewal.day, low_first(renewal.account)))
    return found


def renewal_figures(
    book: Book,
    first: date | None = None,
    last: date | None = None,
    forecast_category: str | None = None,
) -> dict[str, Any]:
    """Return the renewals of *book* as JSON values (LU-066), as `pipeline` finds them."""
    categories = frozenset({forecast_category} if forecast_category else ())
    found = pipeline(book, first, last, categories)
    return {
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "forecast_category": forecast_category,
        "total": found.total.shown(),
        "overdue": found.overdue.shown(),
        "months": [
            {"month": f"{month:%Y-%m}", **renewing.shown()}
            for month, renewing in found.months.items()
        ],
        "outside": {
            "before": found.before.shown(),
            "later": found.later.shown(),
            "undated": found.undated.shown(),
        },
        "accounts": [_shown(renewal) for renewal in found.renewals],
    }


def _shown(renewal: Renewal) -> dict[str, Any]:
    account = renewal.account
    customer = account.customer
    return {
        "id": customer.id,
        "name": customer.name,
        "manager": customer.manager,
        "tier": customer.tier,
        "renewal_date": renewal.day.isoformat(),
        "days_until_renewal": account.renewal_in,
        "mrr": customer.mrr,
        "score": account.score,
        "status": account.status,
        "forecast_category": renewal.category,
        "risk_flags": list(renewal.flags),
    }


def _months(first: date, last: date) -> list[date]:
    """Return the first day of each month that has a day between the two."""
    start, months = first.replace(day=1), []
    while start <= last:
        months.append(start)
        start = months_after(start, 1)
    return months if first <= last else []


def _end(day: date, months: int) -> date:
    """Return the last day of so many *months*, that of *day* being the first."""
    return months_after(day.replace(day=1), months) - timedelta(days=1)
