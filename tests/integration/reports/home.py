"""What an oracle expects of a portfolio's figures, as a home page has them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tests.integration.reports.folio import Folio
from tests.integration.reports.numbers import BANDS, STAGES, TIERS, Row, mean, percent
from tests.integration.reports.parts import answer, renewing, risky, who
from tests.integration.reports.seen import Seen, movers, paid, urgent


def get_portfolio(folio: Folio) -> Row:
    """The whole book."""
    accounts, now, before = folio.accounts, folio.now, folio.before
    fields = {
        "customers": "customers",
        "mrr": "mrr",
        "arr": "arr",
        "average_score": "average",
        "at_risk": "at_risk",
        "revenue_at_risk": "at_risk_mrr",
    }
    totals = {}
    for name, field in fields.items():
        value, previous = getattr(now, field), getattr(before, field, None)
        change = None if None in (value, previous) else value - previous
        totals[name] = {"value": value, "previous": previous, "change": change}
    tiers = [*TIERS, *([None] if any(each.tier is None for each in accounts) else [])]
    of_tier = {tier: [each for each in accounts if each.tier == tier] for tier in tiers}
    of_band = {band: [each for each in accounts if each.status == band] for band in BANDS}
    windows = {"overdue": (-10_000, -1), "0-30": (0, 30), "31-60": (31, 60), "61-90": (61, 90)}
    ready = [each.expansion for each in accounts if each.expansion is not None]
    everybody = [*accounts, *folio.churned]
    return answer(
        folio,
        {
            "totals": totals,
            "scored": now.scored,
            "unscored": now.customers - now.scored,
            "churned": sum(each.stage == "churned" for each in everybody),
            "lifecycles": {
                stage: sum(each.stage == stage for each in everybody) for stage in STAGES
            },
            "bands": [
                {
                    "band": band,
                    "customers": len(found),
                    "percent": percent(len(found), len(accounts)),
                    "mrr": paid(found),
                }
                for band, found in of_band.items()
            ],
            "tiers": [
                {
                    "tier": tier,
                    "customers": len(found),
                    "mrr": paid(found),
                    "average_score": mean(each.score for each in found),
                    "at_risk": len(risky(found)),
                    "at_risk_mrr": paid(risky(found)),
                }
                for tier, found in of_tier.items()
            ],
            "heatmap": [
                {
                    "tier": tier,
                    "bands": {
                        band: {
                            "customers": sum(each.status == band for each in found),
                            "mrr": paid([each for each in found if each.status == band]),
                        }
                        for band in BANDS
                    },
                }
                for tier, found in of_tier.items()
            ],
            "momentum": {
                way: sum(each.momentum == way for each in accounts)
                for way in ("rising", "steady", "falling", "unknown")
            },
            "renewals": {
                "upcoming": {"within_days": 90, **_renewing(renewing(folio, 0, 90))},
                "pipeline": [
                    {"window": window, **_renewing(renewing(folio, *days))}
                    for window, days in windows.items()
                ],
            },
            "expansion": {"customers": len(ready), "mrr": sum(ready, start=Fraction(0))},
            "biggest_drops": [
                {**who(each), "score_then": each.was, "change": each.moved}
                for each in movers(folio, 10)[0]
            ],
            "priority_accounts": [_call(folio, each) for each in urgent(accounts)[:10]],
        },
    )


def _renewing(accounts: Sequence[Seen]) -> Row:
    return {
        "customers": len(accounts),
        "mrr": paid(accounts),
        "at_risk": len(risky(accounts)),
        "at_risk_mrr": paid(risky(accounts)),
    }


def _call(folio: Folio, each: Seen) -> Row:
    parts = each.priority
    return {
        **who(each),
        "days_until_renewal": each.days,
        "priority_score": parts and parts["priority"],
        "priority": parts
        and {
            "score": parts["priority"],
            "risk": parts["risk"],
            "revenue_share": parts["revenue_share"],
            "renewal_factor": parts["renewal_factor"],
            "portfolio_mrr": folio.paid_by_all,
        },
        "reasons": each.reasons,
        "costs": [
            {"signal": name, "value": value, "points": points, "lost": lost}
            for name, lost, value, points in each.costs
        ],
    }
