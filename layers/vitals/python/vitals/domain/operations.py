"""What account teams read beside the score: cadence, renewal and priority (IQ-095, 100, 101)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.model import ScoringModel
from vitals.domain.numbers import Number, cents


def cadence_status(customer: Customer, model: ScoringModel, contacted: date, today: date) -> str:
    """Return on_track, due_soon or overdue for the tier's cadence, since the day *contacted*.

    A customer never contacted counts from the day it was created.
    """
    cadence = model.cadence_of(customer.tier)
    days = (today - contacted).days
    if days >= cadence.overdue:
        return "overdue"
    return "due_soon" if days >= cadence.due else "on_track"


def direction(moved: int | None, points: Number) -> str:
    """Return rising, falling or steady for a score that *moved* so far; unknown for None (IQ-094).

    A move of at least *points* is momentum.
    """
    if moved is None:
        return "unknown"
    if abs(moved) < points:
        return "steady"
    return "rising" if moved > 0 else "falling"


def days_until_renewal(customer: Customer, today: date) -> int | None:
    """Return the days until the renewal date, negative when it has passed."""
    return (customer.renewal_date - today).days if customer.renewal_date else None


def expansion_estimate(customer: Customer, model: ScoringModel, status: str) -> Number | None:
    """Return the MRR that an expansion-ready customer may add, in whole cents (IQ-102).

    The model's percentage of its MRR; None for a customer of another band, or without revenue.
    """
    if status != "expansion" or not customer.mrr:
        return None
    return cents(customer.mrr * Decimal(model.expansion_percent), 100)


def priority(
    customer: Customer, model: ScoringModel, score: int | None, portfolio_mrr: Number, today: date
) -> dict[str, Any] | None:
    """Return the priority and its parts (AMB-48); None without a score or revenue.

    priority = (100 − score)/100 × share of the portfolio's MRR × renewal factor, from 0 to 1, to
    eight decimals; an overdue renewal counts as the nearest window.
    """
    if score is None or not customer.mrr:
        return None
    risk = Decimal(100 - score) / 100
    # A portfolio read a moment ago may not hold this customer's newest revenue yet.
    portfolio_mrr = max(portfolio_mrr, customer.mrr)
    share = Decimal(customer.mrr) / Decimal(portfolio_mrr)
    factor = renewal_factor(model, days_until_renewal(customer, today))
    return {
        "score": _plain(round(risk * share * Decimal(factor), 8)),
        "risk": _plain(risk),
        "revenue_share": _plain(round(share, 8)),
        "renewal_factor": factor,
        "portfolio_mrr": portfolio_mrr,
    }


def _plain(part: Decimal) -> Number:
    """Return a *part* of few decimals as `parse_number` does, at a fraction of the cost."""
    return int(part) if part == part.to_integral_value() else part.normalize()


def renewal_factor(model: ScoringModel, days: int | None) -> Number:
    """Return what a renewal in so many *days* weighs in a priority; None: no date is known."""
    if days is not None:
        for window, factor in model.renewal_windows:
            if days <= window:
                return factor
    return model.renewal_factor_beyond
