"""The figures of a whole portfolio: the KPI cards and widgets of a home page (IQ-179, 180)."""

from __future__ import annotations

from typing import Any, Final

from vitals.domain.model import CHURNED, STATUSES
from vitals.domain.numbers import Number
from vitals.domain.reports.accounts import Ranked, costs, first_to_call, percent, reasons
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.movement import movers
from vitals.domain.reports.sections import FIRST
from vitals.domain.reports.tally import PIPELINE, WINDOWS, Bucket, Tally, tally
from vitals.domain.snapshot import Figures

DROPS: Final = 10
"""So many accounts that fell most are named."""
TOTALS: Final = {
    "customers": "customers",
    "mrr": "mrr",
    "arr": "arr",
    "average_score": "average",
    "at_risk": "at_risk",
    "revenue_at_risk": "at_risk_mrr",
}
"""The totals, and the attributes of a day's figures that they are."""


def portfolio_figures(book: Book) -> dict[str, Any]:
    """Return the figures of *book* as JSON values (LU-065), from one pass over its accounts.

    Each total stands beside that of the day `book.then`, if that is known. Customers who
    churned count in their stage and in `churned` alone.
    """
    counted = tally(book)
    now = book.figures
    drops, _ = movers(book, DROPS)
    return {
        "totals": _totals(now, book.figures_then),
        "scored": now.scored,
        "unscored": now.customers - now.scored,
        "churned": counted.lifecycles[CHURNED],
        "lifecycles": dict(counted.lifecycles),
        "bands": _bands(counted, now.customers),
        "tiers": _tiers(counted),
        "heatmap": _heatmap(counted),
        "momentum": dict(counted.momentum),
        "renewals": _renewals(counted),
        "expansion": {"customers": counted.expanding, "mrr": counted.expansion},
        "biggest_drops": [_drop(account) for account in drops],
        "priority_accounts": [
            _call(ranked) for ranked in first_to_call(book.accounts, FIRST, book.portfolio_mrr)
        ],
    }


def _totals(now: Figures, then: Figures | None) -> dict[str, Any]:
    """Return each total of TOTALS with that of the day compared with, and the difference."""
    found = {}
    for name, field in TOTALS.items():
        value: Number | None = getattr(now, field)
        previous: Number | None = getattr(then, field) if then is not None else None
        change = None if value is None or previous is None else value - previous
        found[name] = {"value": value, "previous": previous, "change": change}
    return found


def _bands(counted: Tally, customers: int) -> list[dict[str, Any]]:
    return [
        {
            "band": band,
            "customers": bucket.customers,
            "percent": percent(bucket.customers, customers),
            "mrr": bucket.mrr,
        }
        for band, bucket in counted.bands.items()
    ]


def _tiers(counted: Tally) -> list[dict[str, Any]]:
    return [
        {
            "tier": tier or None,
            "customers": bucket.customers,
            "mrr": bucket.mrr,
            "average_score": bucket.average,
            "at_risk": bucket.at_risk,
            "at_risk_mrr": bucket.at_risk_mrr,
        }
        for tier, bucket in counted.tiers.items()
    ]


def _heatmap(counted: Tally) -> list[dict[str, Any]]:
    none = Bucket()
    rows = []
    for tier in counted.tiers:
        cells = {band: counted.heat.get((tier, band), none) for band in STATUSES}
        rows.append(
            {
                "tier": tier or None,
                "bands": {
                    band: {"customers": cell.customers, "mrr": cell.mrr}
                    for band, cell in cells.items()
                },
            }
        )
    return rows


def _renewals(counted: Tally) -> dict[str, Any]:
    last = PIPELINE[-1][1]
    return {
        "upcoming": {"within_days": last, **_renewing(counted.upcoming)},
        "pipeline": [
            {"window": window, **_renewing(counted.renewals[window])} for window in WINDOWS
        ],
    }


def _renewing(bucket: Bucket) -> dict[str, Any]:
    return {
        "customers": bucket.customers,
        "mrr": bucket.mrr,
        "at_risk": bucket.at_risk,
        "at_risk_mrr": bucket.at_risk_mrr,
    }


def _drop(account: Account) -> dict[str, Any]:
    return {
        **_who(account),
        "score_then": account.was,
        "change": account.moved,
    }


def _call(ranked: Ranked) -> dict[str, Any]:
    account = ranked.account
    found = costs(account)
    return {
        **_who(account),
        "days_until_renewal": account.renewal_in,
        "priority_score": ranked.priority["score"] if ranked.priority else None,
        "priority": dict(ranked.priority) if ranked.priority else None,
        "reasons": list(reasons(account, found)),
        "costs": [
            {"signal": each.signal, "value": each.value, "points": each.points, "lost": each.lost}
            for each in found
        ],
    }


def _who(account: Account) -> dict[str, Any]:
    customer = account.customer
    return {
        "id": customer.id,
        "name": customer.name,
        "manager": customer.manager,
        "tier": customer.tier,
        "score": account.score,
        "status": account.status,
        "mrr": customer.mrr,
    }
