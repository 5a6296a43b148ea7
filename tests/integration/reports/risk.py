"""What an oracle expects of Churn Risk."""

from __future__ import annotations

from tests.integration.reports.agreement import Said
from tests.integration.reports.folio import Folio
from tests.integration.reports.numbers import Row, percent
from tests.integration.reports.parts import (
    about,
    at_risk,
    call,
    calls,
    costs_chart,
    document,
    figure,
    kpis,
    mean_costs,
    table,
)
from tests.integration.reports.portfolio import share_at_risk
from tests.integration.reports.seen import Seen, low_first, paid


def churn_risk(folio: Folio) -> Row:
    """Who may leave."""
    accounts = sorted(folio.accounts, key=low_first)
    now = folio.now.average
    before = folio.before.average if folio.before else None
    index = None if now is None else 100 - now
    index_then = None if before is None else 100 - before
    ranges = [(low, 100 if low == 90 else low + 9) for low in range(0, 100, 10)]
    scored = [each for each in accounts if each.score is not None]
    in_range = [
        [each for each in scored if low <= 100 - (each.score or 0) <= high] for low, high in ranges
    ]
    labels = [f"{low} to {high}" for low, high in ranges]
    bound = 100 - folio.settings["bands"]["watch"]
    high = sum(100 - (each.score or 0) > bound for each in scored)
    means = mean_costs(accounts)
    first: dict[str, list[Seen]] = {}
    for each in scored:
        if each.costs and each.costs[0][1]:
            first.setdefault(each.costs[0][0], []).append(each)
    mean_line = Said()
    if index is not None:
        mean_line = Said(index, 100)
        if index_then is not None:
            mean_line = Said(index, 100, index_then, folio.then)
    top = None
    if scored:
        top = Said(scored[0].name, 100 - (scored[0].score or 0))
        if scored[0].costs and scored[0].costs[0][1]:
            name, lost, _, _ = scored[0].costs[0]
            top = Said(scored[0].name, 100 - (scored[0].score or 0), name, lost)
    unscored = len(accounts) - len(scored)
    before_unscored = folio.before and folio.before.customers - folio.before.scored
    return document(
        folio,
        [
            mean_line,
            top,
            at_risk(folio),
            call(folio),
            Said(means[0][0], means[0][1]) if means and means[0][1] else None,
        ],
        {
            "kpis": {
                "average_risk_index": figure(index, index_then, 100),
                **kpis(folio, "at_risk", "revenue_at_risk"),
                "share_at_risk": share_at_risk(folio),
                "unscored": figure(unscored, before_unscored),
            },
            "risk_chart": {
                "labels": labels,
                "series": {"accounts": [len(found) for found in in_range]},
                "says": Said(high, len(scored), bound) if scored else Said(),
            },
            "distribution": table(
                "risk_index accounts mrr percent",
                [
                    {
                        "risk_index": label,
                        "accounts": len(found),
                        "mrr": paid(found),
                        "percent": percent(paid(found), paid(scored)),
                    }
                    for label, found in zip(labels, in_range, strict=True)
                ],
            ),
            "costs": costs_chart(means),
            "signals": table(
                "signal mean_lost accounts mrr",
                [
                    {
                        "signal": name,
                        "mean_lost": lost,
                        "accounts": len(first.get(name, [])),
                        "mrr": paid(first.get(name, [])),
                    }
                    for name, lost in means
                ],
            ),
            "accounts": table(
                "name manager tier risk_index status mrr days_until_renewal factor_1 lost_1 "
                "factor_2 lost_2 factor_3 lost_3",
                [about(each) | _factors(each) for each in accounts],
                100,
            ),
            "priority_accounts": calls(folio),
        },
        [Said(100), Said(100), Said()],
    )


def _factors(each: Seen) -> Row:
    row: Row = {"risk_index": None if each.score is None else 100 - each.score}
    for place in range(3):
        cost = each.costs[place] if place < len(each.costs) else None
        named = cost is not None and cost[1] > 0
        row[f"factor_{place + 1}"] = cost[0] if cost and named else None
        row[f"lost_{place + 1}"] = cost[1] if cost and named else None
    return row
