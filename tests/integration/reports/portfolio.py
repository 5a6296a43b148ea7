"""What an oracle expects of reports on a whole portfolio."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tests.integration.reports.agreement import Said
from tests.integration.reports.folio import Folio
from tests.integration.reports.movement import Movement
from tests.integration.reports.numbers import BANDS, TIERS, Row, mean, percent, sure
from tests.integration.reports.parts import (
    about,
    at_risk,
    bands,
    call,
    calls,
    costs_chart,
    document,
    figure,
    kpis,
    mean_costs,
    mover,
    mover_table,
    renewing,
    risky,
    standing,
    table,
)
from tests.integration.reports.seen import Seen, large_first, low_first, movers, paid, urgent

WINDOWS = (("Overdue", -10_000, -1), ("0 to 30 days", 0, 30), ("31 to 60 days", 31, 60),
           ("61 to 90 days", 61, 90))  # fmt: skip


def portfolio_summary(folio: Folio) -> Row:
    """The whole book."""
    accounts = folio.accounts
    tiers = [*TIERS, *([None] if any(each.tier is None for each in accounts) else [])]
    of_tier = {tier: [each for each in accounts if each.tier == tier] for tier in tiers}
    of_band = {band: [each for each in accounts if each.status == band] for band in BANDS}
    soon, late = renewing(folio, 0, 90), renewing(folio, -10_000, -1)
    fell, _ = movers(folio, 5)
    ready = [each.expansion for each in accounts if each.expansion is not None]
    windows = [(label, renewing(folio, first, last)) for label, first, last in WINDOWS]
    largest = max(of_band, key=lambda band: len(of_band[band]))
    return document(
        folio,
        [standing(folio), at_risk(folio), mover(fell[0]) if fell else None, call(folio)],
        {
            "kpis": {
                **kpis(folio),
                **{
                    name: each
                    for name, each in came_and_went(folio).items()
                    if name != "joined_mrr"
                },
                "upcoming_renewals": figure(len(soon)),
                "upcoming_mrr": figure(paid(soon)),
                "expansion": figure(sum(ready, start=Fraction(0))),
            },
            "band_chart": {
                "labels": list(BANDS),
                "series": {"customers": [len(found) for found in of_band.values()]},
                "says": Said(largest, len(of_band[largest]), len(accounts)) if accounts else Said(),
            },
            "bands": table(
                "status customers percent mrr",
                [
                    {
                        "status": band,
                        "customers": len(found),
                        "percent": percent(len(found), len(accounts)),
                        "mrr": paid(found),
                    }
                    for band, found in of_band.items()
                ],
            ),
            "tiers": table(
                "tier customers mrr average_score at_risk at_risk_mrr",
                [
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
            ),
            "heatmap": table(
                "tier " + " ".join(BANDS),
                [{"tier": tier, **bands(found)} for tier, found in of_tier.items()],
            ),
            "movement": Movement(folio).chart(),
            "renewal_chart": {
                "labels": [label for label, _ in windows],
                "series": {
                    "safe": [paid(found) - paid(risky(found)) for _, found in windows],
                    "at_risk": [paid(risky(found)) for _, found in windows],
                },
                "says": Said(paid(soon), 90, paid(risky(soon)), paid(late)),
            },
            "renewals": table(
                "window customers mrr at_risk at_risk_mrr",
                [
                    {
                        "window": label,
                        "customers": len(found),
                        "mrr": paid(found),
                        "at_risk": len(risky(found)),
                        "at_risk_mrr": paid(risky(found)),
                    }
                    for label, found in windows
                ],
            ),
            "biggest_drops": mover_table(fell),
            "priority_accounts": calls(folio),
        },
        [Said()],
    )


def share_at_risk(folio: Folio) -> list[Any]:
    """Return the share of the revenue that is at risk, now and then."""
    now, before = folio.now, folio.before
    then = percent(before.at_risk_mrr, before.mrr) if before else None
    return figure(percent(now.at_risk_mrr, now.mrr), then)


def band_then(folio: Folio, score: int) -> str:
    """Return the band in which a score was."""
    bounds: Mapping[str, int] = (folio.model_then or folio.settings)["bands"]
    return max((bound, band) for band, bound in bounds.items() if bound <= score)[1]


def turned(folio: Folio) -> tuple[list[Seen], list[Seen]]:
    """Return who came into risk, and who left it, of those with a score then and now."""
    both = [each for each in folio.accounts if each.moved is not None]
    safe = [each for each in both if band_then(folio, each.was or 0) not in ("critical", "at_risk")]
    came = [each for each in safe if each.at_risk]
    left = [each for each in both if each not in safe and not each.at_risk]
    return came, left


def at_risk_accounts(folio: Folio) -> Row:
    """Who is at risk."""
    found = urgent(risky(folio.accounts))
    came, _ = turned(folio)
    newly = Said(folio.then) if folio.then else Said()
    if came:
        newly = Said(len(came), folio.then, paid(came))
    first = [each.costs[0][0] for each in found if each.costs and each.costs[0][1]]
    held = min(first, key=lambda name: (-first.count(name), name), default="")
    near = [each for each in found if each.days is not None and 0 <= each.days <= 90]
    return document(
        folio,
        [
            at_risk(folio),
            newly,
            call(folio, found),
            Said(held, first.count(held), len(found)) if first else None,
        ],
        {
            "kpis": {
                **kpis(folio, "at_risk", "revenue_at_risk"),
                "share_at_risk": share_at_risk(folio),
                "critical": figure(bands(found)["critical"]),
                "renewing_mrr": figure(paid(near)),
                "overdue_contacts": figure(sum(each.overdue for each in found)),
            },
            "costs": costs_chart(mean_costs(found)),
            "accounts": table(
                "name manager tier score status moved mrr days_until_renewal quiet_days priority "
                "reason",
                [about(each) for each in found],
            ),
            "priorities": table(
                "name score mrr renewal_date risk revenue_share renewal_factor priority",
                [about(each) for each in found],
            ),
        },
        [Said(), Said()],
    )


def joined(folio: Folio) -> list[Seen]:
    """Return who was not there on the day that is compared with."""
    here = folio.scores_then
    new = [each for each in folio.accounts if each.id not in here and each.stage != "churned"]
    return new if folio.then else []


def went(folio: Folio) -> list[tuple[Row, str]]:
    """Return who was there then and is not now, and how it went."""
    here = folio.scores_then
    gone = [(each.view, "churned") for each in folio.churned if each.id in here]
    gone += [(view, "deleted") for view in folio.trashed if view["id"] in here]
    return gone if folio.knows_gone else []


def _came_and_went(folio: Folio) -> Said:
    if not folio.then:
        return Said()
    return Said(len(joined(folio)), *([len(folio.lost)] if folio.knows_gone else []))


def came_and_went(folio: Folio) -> Row:
    """Return the figures of who came and who went."""
    if not folio.then:
        return dict.fromkeys(("joined", "joined_mrr", "left", "left_mrr"), figure(None))
    came = {
        "joined": figure(len(joined(folio))),
        "joined_mrr": figure(paid(joined(folio))),
    }
    if not folio.knows_gone:
        return {**came, "left": figure(None), "left_mrr": figure(None)}
    return {
        **came,
        "left": figure(len(folio.lost)),
        "left_mrr": figure(sum(sure(view["mrr"]) for view, _ in went(folio))),
    }


def weekly_digest(folio: Folio) -> Row:
    """What a week changed."""
    fell, rose = movers(folio, 5)
    came, left = turned(folio)
    here = folio.scores_then
    new = joined(folio)
    soon = sorted(
        renewing(folio, 0, 30), key=lambda each: (each.view["renewal_date"], low_first(each))
    )
    quiet = [each for each in folio.accounts if each.overdue]
    quiet.sort(key=lambda each: (-each.quiet, *large_first(each)))
    gone = went(folio)
    gone.sort(key=lambda pair: (-(pair[0]["mrr"] or 0), pair[0]["name"], pair[0]["id"]))
    purged = len(folio.lost) - len(gone)
    came.sort(key=large_first)
    left.sort(key=large_first)
    new.sort(key=large_first)
    moves = None
    if fell or rose:
        moves = mover((fell or rose)[0])
    elif folio.then:
        moves = Said(folio.then)
    who, turns = "name manager tier mrr", "score_then score status moved"
    return document(
        folio,
        [
            standing(folio),
            moves,
            Said(len(came), paid(came), len(left), paid(left)) if folio.then else None,
            _came_and_went(folio),
            call(folio),
        ],
        {
            "kpis": {
                **kpis(folio, "average_score", "customers", "mrr", "at_risk", "revenue_at_risk"),
                **came_and_went(folio),
                "renewals": figure(len(soon)),
                "renewing_mrr": figure(paid(soon)),
                "overdue_contacts": figure(len(quiet)),
            },
            "movement": Movement(folio).chart(),
            "priority_accounts": calls(folio),
            "fell": mover_table(fell),
            "rose": mover_table(rose),
            "newly_at_risk": table(f"{who} {turns}", [about(each) for each in came]),
            "recovered": table(f"{who} {turns}", [about(each) for each in left]),
            "joined": table(f"{who} score status", [about(each) for each in new]),
            "left": table(
                f"{who} score_then how",
                [
                    {name: view[name] for name in who.split()}
                    | {"score_then": here[view["id"]], "how": how}
                    for view, how in gone
                ],
                *([purged] if purged > 0 else []),
            ),
            "renewals": table(
                f"renewal_date days_until_renewal {who} score status",
                [about(each) for each in soon],
            ),
            "overdue_contacts": table(
                f"{who} score status last_contact_on quiet_days", [about(each) for each in quiet]
            ),
        },
        [Said(), Said()],
    )
